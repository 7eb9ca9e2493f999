#include "uring_client.h"

#include <sys/socket.h>

#include <cerrno>
#include <vector>

namespace mpsbench {
namespace {

constexpr unsigned kEntries = 1024;
constexpr unsigned kBuffers = 1024;
// Enough for a head; small, since the ring goes round and round through all of its buffers.
constexpr unsigned kBufferBytes = 1024;

// What a completion is about, beside the connection's index.
enum class Step : std::uint64_t { kSend, kReceive, kDiscard };

std::uint64_t token(std::uint32_t index, Step step) {
  return std::uint64_t{index} << 8 | static_cast<std::uint64_t>(step);
}

}  // namespace

UringClient::UringClient(const LoadSpec& spec, std::size_t reply_bytes)
    : BareClient(spec), discards_(reply_bytes > kBufferBytes) {}

Status UringClient::run() {
  if (Status connected = connect_all(0); !connected.ok()) return connected;
  std::vector<int> fds;
  for (const Peer& peer : peers_) fds.push_back(peer.fd.get());
  if (Status ready = ring_.set_up(kEntries, fds, kBuffers, kBufferBytes); !ready.ok()) return ready;
  for (std::uint32_t index = 0; index < peers_.size(); ++index) {
    if (!discards_) receive(index);
    send(index);
  }
  while (!over()) {
    ring_.enter();
    ring_.each_completion([this](const io_uring_cqe& completion) { on_completion(completion); });
  }
  return ending();
}

void UringClient::send(std::uint32_t index) {
  start(peers_[index]);
  io_uring_sqe& entry = ring_.next_entry();
  entry.opcode = IORING_OP_SEND;
  entry.fd = static_cast<int>(index);
  entry.flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  entry.addr = reinterpret_cast<std::uint64_t>(request().data());
  entry.len = static_cast<unsigned>(request().size());
  entry.msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
  entry.user_data = token(index, Step::kSend);
  if (discards_) receive(index);
}

// Nothing can be there yet, so that the first try, which would find nothing, is left out.
void UringClient::receive(std::uint32_t index) {
  io_uring_sqe& entry = ring_.next_entry();
  entry.opcode = IORING_OP_RECV;
  entry.fd = static_cast<int>(index);
  entry.flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  entry.ioprio = IORING_RECVSEND_POLL_FIRST;
  if (!discards_) entry.ioprio |= IORING_RECV_MULTISHOT;
  entry.user_data = token(index, Step::kReceive);
}

void UringClient::discard(std::uint32_t index, std::size_t bytes) {
  io_uring_sqe& entry = ring_.next_entry();
  entry.opcode = IORING_OP_RECV;
  entry.fd = static_cast<int>(index);
  entry.flags = IOSQE_FIXED_FILE;
  entry.addr = reinterpret_cast<std::uint64_t>(&nowhere_);
  entry.len = static_cast<unsigned>(bytes);
  entry.msg_flags = MSG_TRUNC | MSG_WAITALL;
  entry.user_data = token(index, Step::kDiscard);
}

void UringClient::on_completion(const io_uring_cqe& completion) {
  const auto index = static_cast<std::uint32_t>(completion.user_data >> 8);
  switch (static_cast<Step>(completion.user_data & 0xff)) {
    case Step::kSend:
      return fail("a send", completion.res);
    case Step::kReceive:
      return on_bytes(index, completion);
    case Step::kDiscard:
      if (completion.res <= 0) return fail("a receive", completion.res);
      if (peers_[index].parser.skip(static_cast<std::size_t>(completion.res)) != ParseState::kComplete) return;
      if (complete(peers_[index])) send(index);
      return;
  }
}

void UringClient::on_bytes(std::uint32_t index, const io_uring_cqe& completion) {
  Peer& peer = peers_[index];
  const bool armed = (completion.flags & IORING_CQE_F_MORE) != 0;
  if (completion.res == -ENOBUFS) return receive(index);
  if (completion.res <= 0) return fail("a receive", completion.res);
  const unsigned id = completion.flags >> IORING_CQE_BUFFER_SHIFT;
  const ParseState parsed = peer.parser.feed(ring_.buffer(id), static_cast<std::size_t>(completion.res));
  ring_.give_back(id);
  if (parsed == ParseState::kBad) return fail("a reply", 0);
  if (!discards_ && !armed) receive(index);
  if (parsed == ParseState::kComplete) {
    if (complete(peer)) send(index);
    return;
  }
  if (!discards_) return;
  if (peer.parser.skippable() > 0)
    discard(index, peer.parser.skippable());
  else
    receive(index);
}

}  // namespace mpsbench
