// A closed loop over io_uring that keeps the same books per request as the load engine does over epoll.
#pragma once

#include <cstdint>

#include "bare_client.h"
#include "uring_ring.h"

namespace mpsbench {

// Thread: run() by one.
class UringClient : public BareClient {
 public:
  // Of replies that need more than one buffer the rest is received in one go and thrown away by the kernel, as the
  // engine does; shorter ones come by a receive that stays armed.
  UringClient(const LoadSpec& spec, std::size_t reply_bytes);

  // Until the spec's deadline. LOAD_FAILED where the kernel or the server refuses.
  Status run();

 private:
  void send(std::uint32_t index);
  void receive(std::uint32_t index);
  void discard(std::uint32_t index, std::size_t bytes);
  void on_completion(const io_uring_cqe& completion);
  void on_bytes(std::uint32_t index, const io_uring_cqe& completion);

  const bool discards_;
  UringRing ring_;
  // Address of what the kernel is told to throw away; never written.
  char nowhere_ = 0;
};

}  // namespace mpsbench
