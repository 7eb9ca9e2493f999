// A closed loop over epoll and nothing else, for the io_uring trial: short requests and replies.
#pragma once

#include <memory>

#include "bare_client.h"

namespace mpsbench {

// Thread: run() by one.
class EpollClient : public BareClient {
 public:
  explicit EpollClient(const LoadSpec& spec) : BareClient(spec) {}

  // Until the spec's deadline. LOAD_FAILED where the kernel or the server refuses.
  Status run();

 private:
  void send(Peer& peer);
  // Whether the reply is complete.
  [[nodiscard]] bool receive(Peer& peer);

  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(kBufferBytes);
  static constexpr std::size_t kBufferBytes = std::size_t{16} * 1024;
};

}  // namespace mpsbench
