// Owner of one io_uring with registered descriptors and a ring of provided buffers, by system calls alone.
#pragma once

#include <linux/io_uring.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace mpsbench {

// Set up the way that suits a client with one thread: SINGLE_ISSUER, DEFER_TASKRUN, no busy polling of devices.
// Thread: set_up() and all else by the same one.
class UringRing {
 public:
  UringRing() = default;
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;
  ~UringRing();

  // `entries`, `buffer_count`: powers of two. Operations name descriptors by their place in `fds` from here on.
  [[nodiscard]] Status set_up(unsigned entries, std::span<const int> fds, unsigned buffer_count, unsigned buffer_bytes);

  // A zeroed entry that the next enter() submits; what is full is submitted at once.
  io_uring_sqe& next_entry();
  // Submits, and waits for one completion.
  void enter();
  // Calls `take` with each completion so far.
  template <class Take>
  void each_completion(Take take);

  // What a completion with IORING_CQE_F_BUFFER names.
  [[nodiscard]] const char* buffer(unsigned id) const { return memory_.data() + std::size_t{id} * buffer_bytes_; }
  void give_back(unsigned id);

 private:
  [[nodiscard]] Status map(const io_uring_params& parameters);
  [[nodiscard]] Status register_all(std::span<const int> fds);
  void submit(unsigned wanted, unsigned flags);

  struct Mapping {
    void* at = nullptr;
    std::size_t bytes = 0;
  };
  Mapping rings_;
  Mapping entries_mapping_;
  Mapping buffers_mapping_;
  UniqueFd fd_;
  int enter_fd_ = -1;
  unsigned enter_flags_ = 0;
  unsigned entries_ = 0;
  unsigned* submission_head_ = nullptr;
  unsigned* submission_tail_ = nullptr;
  unsigned* completion_head_ = nullptr;
  unsigned* completion_tail_ = nullptr;
  unsigned completion_mask_ = 0;
  io_uring_sqe* submissions_ = nullptr;
  io_uring_cqe* completions_ = nullptr;
  unsigned tail_ = 0;
  unsigned submitted_ = 0;
  io_uring_buf_ring* buffers_ = nullptr;
  unsigned buffer_count_ = 0;
  unsigned buffer_bytes_ = 0;
  std::uint16_t buffer_tail_ = 0;
  std::vector<char> memory_;
};

template <class Take>
void UringRing::each_completion(Take take) {
  unsigned head = *completion_head_;
  const unsigned tail = __atomic_load_n(completion_tail_, __ATOMIC_ACQUIRE);
  for (; head != tail; ++head) take(completions_[head & completion_mask_]);
  __atomic_store_n(completion_head_, head, __ATOMIC_RELEASE);
}

}  // namespace mpsbench
