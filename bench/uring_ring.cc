#include "uring_ring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace mpsbench {
namespace {

constexpr unsigned kBufferGroup = 0;

Error refused(const char* call) {
  const int code = errno;
  return {"LOAD_FAILED", std::string(call) + " was refused: " + std::strerror(code), code};
}

long register_with(int fd, unsigned what, const void* argument, unsigned count) {
  return ::syscall(__NR_io_uring_register, fd, what, argument, count);
}

void* map_shared(int fd, std::size_t bytes, std::uint64_t offset) {
  return ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset));
}

}  // namespace

UringRing::~UringRing() {
  fd_.reset();
  for (const Mapping& mapping : {rings_, entries_mapping_, buffers_mapping_}) {
    if (mapping.at != nullptr) ::munmap(mapping.at, mapping.bytes);
  }
}

Status UringRing::set_up(unsigned entries, std::span<const int> fds, unsigned buffer_count, unsigned buffer_bytes) {
  io_uring_params parameters{};
  parameters.flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  parameters.cq_entries = entries * 4;
  fd_ = UniqueFd(static_cast<int>(::syscall(__NR_io_uring_setup, entries, &parameters)));
  if (!fd_.valid()) return refused("io_uring_setup");
  entries_ = entries;
  buffer_count_ = buffer_count;
  buffer_bytes_ = buffer_bytes;
  const Status mapped = map(parameters);
  return mapped.ok() ? register_all(fds) : mapped;
}

Status UringRing::map(const io_uring_params& parameters) {
  if ((parameters.features & IORING_FEAT_SINGLE_MMAP) == 0) return Error{"LOAD_FAILED", "io_uring is too old", 0};
  const std::size_t submission = parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned);
  const std::size_t completion = parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe);
  const std::size_t bytes = std::max(submission, completion);
  void* rings = map_shared(fd_.get(), bytes, IORING_OFF_SQ_RING);
  if (rings == MAP_FAILED) return refused("mmap");
  rings_ = {rings, bytes};
  const std::size_t entry_bytes = parameters.sq_entries * sizeof(io_uring_sqe);
  void* entries = map_shared(fd_.get(), entry_bytes, IORING_OFF_SQES);
  if (entries == MAP_FAILED) return refused("mmap");
  entries_mapping_ = {entries, entry_bytes};
  auto* base = static_cast<char*>(rings);
  submission_head_ = reinterpret_cast<unsigned*>(base + parameters.sq_off.head);
  submission_tail_ = reinterpret_cast<unsigned*>(base + parameters.sq_off.tail);
  completion_head_ = reinterpret_cast<unsigned*>(base + parameters.cq_off.head);
  completion_tail_ = reinterpret_cast<unsigned*>(base + parameters.cq_off.tail);
  completion_mask_ = parameters.cq_entries - 1;
  completions_ = reinterpret_cast<io_uring_cqe*>(base + parameters.cq_off.cqes);
  submissions_ = static_cast<io_uring_sqe*>(entries);
  // Entries are used in their order, so that the indirection never changes.
  auto* order = reinterpret_cast<unsigned*>(base + parameters.sq_off.array);
  for (unsigned index = 0; index < parameters.sq_entries; ++index) order[index] = index;
  return Ok{};
}

Status UringRing::register_all(std::span<const int> fds) {
  const auto fd_count = static_cast<unsigned>(fds.size());
  if (register_with(fd_.get(), IORING_REGISTER_FILES, fds.data(), fd_count) < 0) return refused("REGISTER_FILES");
  const std::size_t bytes = buffer_count_ * sizeof(io_uring_buf);
  void* buffers = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (buffers == MAP_FAILED) return refused("mmap");
  buffers_mapping_ = {buffers, bytes};
  buffers_ = static_cast<io_uring_buf_ring*>(buffers);
  io_uring_buf_reg provided{};
  provided.ring_addr = reinterpret_cast<std::uint64_t>(buffers);
  provided.ring_entries = buffer_count_;
  provided.bgid = kBufferGroup;
  if (register_with(fd_.get(), IORING_REGISTER_PBUF_RING, &provided, 1) < 0) return refused("REGISTER_PBUF_RING");
  memory_.resize(std::size_t{buffer_count_} * buffer_bytes_);
  for (unsigned id = 0; id < buffer_count_; ++id) give_back(id);
  // Spares each call the look-up of the ring's own descriptor.
  io_uring_rsrc_update update{};
  update.offset = ~0U;
  update.data = static_cast<std::uint64_t>(fd_.get());
  const bool registered = register_with(fd_.get(), IORING_REGISTER_RING_FDS, &update, 1) == 1;
  enter_fd_ = registered ? static_cast<int>(update.offset) : fd_.get();
  enter_flags_ = registered ? IORING_ENTER_REGISTERED_RING : 0U;
  return Ok{};
}

io_uring_sqe& UringRing::next_entry() {
  if (tail_ - __atomic_load_n(submission_head_, __ATOMIC_ACQUIRE) == entries_) submit(0, 0);
  io_uring_sqe& entry = submissions_[tail_ & (entries_ - 1)];
  std::memset(&entry, 0, sizeof entry);
  tail_ += 1;
  return entry;
}

void UringRing::enter() { submit(1, IORING_ENTER_GETEVENTS); }

void UringRing::submit(unsigned wanted, unsigned flags) {
  __atomic_store_n(submission_tail_, tail_, __ATOMIC_RELEASE);
  const long taken =
      ::syscall(__NR_io_uring_enter, enter_fd_, tail_ - submitted_, wanted, flags | enter_flags_, nullptr, 0);
  if (taken > 0) submitted_ += static_cast<unsigned>(taken);
}

void UringRing::give_back(unsigned id) {
  // Not buffers_->bufs, which C++ puts at another place than C does.
  io_uring_buf& one = reinterpret_cast<io_uring_buf*>(buffers_)[buffer_tail_ & (buffer_count_ - 1)];
  one.addr = reinterpret_cast<std::uint64_t>(memory_.data() + std::size_t{id} * buffer_bytes_);
  one.len = buffer_bytes_;
  one.bid = static_cast<std::uint16_t>(id);
  buffer_tail_ += 1;
  __atomic_store_n(&buffers_->tail, buffer_tail_, __ATOMIC_RELEASE);
}

}  // namespace mpsbench
