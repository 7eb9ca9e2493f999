// A server that answers at once, so that the load generator is what is measured. HTTP/1.1 on 127.0.0.1.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/thread.h"
#include "load/null_server_loop.h"

namespace mpsbench {

// Answers from its start until it is stopped. Thread: one.
class NullServer {
 public:
  // `response_bytes`: body of every reply. With several threads the system shares the connections out among them.
  // LOAD_FAILED or THREAD_NOT_STARTED where the system refuses what they need.
  static Result<std::unique_ptr<NullServer>> start(std::size_t response_bytes, std::uint32_t threads);
  NullServer(const NullServer&) = delete;
  NullServer& operator=(const NullServer&) = delete;
  ~NullServer() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Closes every connection and ends the threads. Idempotent.
  void stop();

 private:
  explicit NullServer(std::size_t response_bytes) : replies_(response_bytes) {}

  const NullReplies replies_;
  std::atomic<bool> stopping_{false};
  std::vector<std::unique_ptr<NullServerLoop>> loops_;
  std::uint16_t port_ = 0;
  // Last, so that the threads end before what they use.
  std::vector<Thread> threads_;
};

}  // namespace mpsbench
