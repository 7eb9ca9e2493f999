// One non-blocking socket with at most one request on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/unique_fd.h"
#include "load/issuer.h"
#include "load/load_spec.h"
#include "load/request_pages.h"
#include "load/response_parser.h"

namespace mpsbench {

// What a step on a socket came to.
enum class Io : std::uint8_t {
  kDone,
  // The kernel has to report before it goes on.
  kWait,
  // The connection is lost; error() says why, 0 for an end in order.
  kLost,
  // What came is no HTTP reply; the parser says why.
  kBad,
};

// The row of a request that never had a connection.
[[nodiscard]] RequestRecord given_up(const DueRequest& due, Outcome outcome, std::int64_t end_ns);

// Events are edge-triggered, so that each step goes on until the kernel has no more. Thread: worker.
class Connection {
 public:
  enum class State : std::uint8_t { kClosed, kConnecting, kIdle, kBusy };

  // Starts to connect and to be watched by `epoll_fd` under `token`. kLost: at once impossible.
  Io open(const Endpoint& endpoint, int epoll_fd, std::uint64_t token);
  // After an event while connecting.
  Io finish_connecting();
  // A request is its own from here to end_request(), also while there is no connection yet.
  void take(const DueRequest& due, bool head);
  // Begins to send what was taken, from `pages` where it is there; kWait while bytes are left.
  Io start_sending(std::string_view bytes, std::uint64_t body_bytes, PagePlace pages, std::int64_t now_ns);
  // Goes on. `bytes`: the same text, wherever it is now.
  Io send_rest(std::string_view bytes);
  // kDone: the reply is complete. `hang_up`: the kernel said that the peer sends no more.
  Io receive(char* buffer, std::size_t size, bool hang_up);
  void end_request();
  void close();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const ResponseParser& parser() const { return parser_; }
  [[nodiscard]] const DueRequest& due() const { return due_; }
  // The row of the request that ends now.
  [[nodiscard]] RequestRecord record(Outcome outcome, std::int32_t cause, std::int64_t end_ns, bool open_loop) const;
  [[nodiscard]] bool sending() const { return state_ == State::kBusy && left_ > 0; }
  [[nodiscard]] bool reusable() const;
  [[nodiscard]] int error() const { return error_; }

  // Place in a ConnectionList; the list's own.
  std::uint32_t previous = 0;
  std::uint32_t next = 0;
  // When a pause after a failure is over.
  std::int64_t resume_ns = 0;
  // Which endpoint of the spec is tried, counted from the one that was good before.
  std::uint32_t attempt = 0;

 private:
  [[nodiscard]] ssize_t send_some(std::string_view rest);
  [[nodiscard]] bool has_more();
  [[nodiscard]] std::int64_t intended_ns(bool open_loop) const;

  UniqueFd fd_;
  State state_ = State::kClosed;
  bool waited_for_connection_ = false;
  bool peer_ended_ = false;
  // More than the reply came: the reply stands, but what is in the stream belongs to no request.
  bool surplus_ = false;
  bool discards_ = false;
  bool long_replies_ = false;
  int error_ = 0;
  std::uint32_t served_ = 0;
  DueRequest due_;
  std::int64_t sent_ns_ = kNotSent;
  std::int64_t first_byte_ns_ = kNoTime;
  // Of the text, what is left to send; and where the kernel finds it.
  PagePlace pages_;
  std::size_t left_ = 0;
  std::uint64_t body_bytes_ = 0;
  ResponseParser parser_;
};

}  // namespace mpsbench
