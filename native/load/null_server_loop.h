// One thread of the null server: one listening socket, one epoll, its connections.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "load/event_loop.h"

namespace mpsbench {

// What every request is answered with, made once. Thread: any.
class NullReplies {
 public:
  explicit NullReplies(std::size_t response_bytes);
  [[nodiscard]] std::string_view reply(bool head_only, bool closing) const;

 private:
  const std::size_t response_bytes_;
  const std::string kept_;
  const std::string closed_;
};

// One connection. Thread: that of its loop.
struct NullClient {
  UniqueFd fd;
  // Received and not dealt with: part of a head, or what came while a reply was on its way.
  std::string pending;
  // Bytes of the present request's body that are still to come.
  std::uint64_t body_left = 0;
  // A head was read and its request not answered yet.
  bool answer_due = false;
  // What the kernel did not take of the present reply.
  std::string_view unsent;
  // Of the present request.
  std::string_view reply;
  bool closing = false;
};

// Nothing on the way of a request allocates, as long as it comes in one piece and its client reads the replies.
// Thread: run() by one; the rest as it says.
class NullServerLoop {
 public:
  // Both outlive the loop.
  NullServerLoop(const NullReplies& replies, const std::atomic<bool>& stopping);

  // Before run(). `port`: 0 = any; another loop's to share its port. Error: LOAD_FAILED.
  Result<std::uint16_t> listen(std::uint16_t port);
  // Until it is told to stop.
  void run();
  // Thread: any. Has run() look whether it is to stop.
  void wake() const { loop_.ring(); }

 private:
  [[nodiscard]] bool watch(int fd) const;
  void accept_all();
  void on_event(int fd, std::uint32_t events);
  [[nodiscard]] bool serve(NullClient& client, bool ending);
  [[nodiscard]] bool take(NullClient& client, std::string_view& bytes) const;
  [[nodiscard]] bool take_head(NullClient& client, std::string_view& bytes) const;
  [[nodiscard]] bool flush(NullClient& client) const;

  const NullReplies& replies_;
  const std::atomic<bool>& stopping_;
  EventLoop loop_;
  UniqueFd listener_;
  // By descriptor.
  std::vector<std::unique_ptr<NullClient>> clients_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace mpsbench
