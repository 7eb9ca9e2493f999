#include "load/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"

namespace mpsbench {
namespace {

// Below, a call of its own costs more than the copy.
constexpr std::size_t kWorthSkippingBytes = 4096;
// Of a long reply, what is asked for first: more than a head and an excerpt take with most servers.
constexpr std::size_t kFirstBytes = 1024;

// Past the C library: where a process has threads, its send() and recv() can be cancelled, and the preparation for that
// is 2 % of what a small request costs (perf, 2026-11-22).
ssize_t send_bytes(int fd, std::string_view bytes) {
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
}

ssize_t receive_bytes(int fd, char* buffer, std::size_t size) {
  return ::syscall(SYS_recvfrom, fd, buffer, size, 0, nullptr, nullptr);
}

// Past the C library also because its sanitized recv() takes what was thrown away for written; and without a buffer, so that a
// system that copies all the same fails instead of writing somewhere.
ssize_t discard(int fd, std::size_t bytes) {
  return ::syscall(SYS_recvfrom, fd, nullptr, bytes, MSG_TRUNC, nullptr, nullptr);
}

}  // namespace

RequestRecord given_up(const DueRequest& due, Outcome outcome, std::int64_t end_ns) {
  RequestRecord row;
  row.intended_ns = due.due_ns;
  row.end_ns = end_ns;
  row.number = static_cast<std::uint32_t>(due.number);
  row.outcome = outcome;
  row.flags = due.phase == LoadPhase::kMeasurement ? kMeasuredFlag : 0;
  return row;
}

Io Connection::open(const Endpoint& endpoint, int epoll_fd, std::uint64_t token) {
  const int family = endpoint.address.ss_family;
  fd_ = UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  error_ = errno;
  if (!fd_.valid()) return Io::kLost;
  const int on = 1;
  // A socket that cannot be told so, such as a local one, has no such delay.
  (void)::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  discards_ = family != AF_UNIX;
  waited_for_connection_ = true;
  peer_ended_ = false;
  served_ = 0;
  state_ = State::kConnecting;
  epoll_event watched{};
  watched.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  watched.data.u64 = token;
  const auto* address = reinterpret_cast<const sockaddr*>(&endpoint.address);
  const bool connected = ::connect(fd_.get(), address, endpoint.length) == 0;
  error_ = connected ? 0 : errno;
  if (connected || error_ == EINPROGRESS) {
    if (::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd_.get(), &watched) == 0) {
      if (connected) state_ = State::kIdle;
      return connected ? Io::kDone : Io::kWait;
    }
    error_ = errno;
  }
  close();
  return Io::kLost;
}

Io Connection::finish_connecting() {
  socklen_t length = sizeof error_;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error_, &length) != 0) error_ = errno;
  if (error_ != 0) {
    close();
    return Io::kLost;
  }
  state_ = State::kIdle;
  return Io::kDone;
}

void Connection::take(const DueRequest& due, bool head) {
  due_ = due;
  sent_ns_ = kNotSent;
  first_byte_ns_ = kNoTime;
  waited_for_connection_ = false;
  surplus_ = false;
  left_ = 0;
  parser_.start(head);
}

Io Connection::start_sending(std::string_view bytes, std::uint64_t body_bytes, PagePlace pages, std::int64_t now_ns) {
  state_ = State::kBusy;
  sent_ns_ = now_ns;
  pages_ = pages;
  left_ = bytes.size();
  body_bytes_ = body_bytes;
  return send_rest(bytes);
}

Io Connection::send_rest(std::string_view bytes) {
  while (left_ > 0) {
    const ssize_t sent = send_some(bytes.substr(bytes.size() - left_));
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Io::kWait;
      error_ = errno;
      return Io::kLost;
    }
    left_ -= static_cast<std::size_t>(sent);
  }
  return Io::kDone;
}

// There is no telling sendfile() to raise no SIGPIPE: the threads of the engine block all signals.
ssize_t Connection::send_some(std::string_view rest) {
  if (pages_.file < 0) return send_bytes(fd_.get(), rest);
  return ::sendfile(fd_.get(), pages_.file, &pages_.offset, rest.size());
}

Io Connection::receive(char* buffer, std::size_t size, bool hang_up) {
  peer_ended_ = peer_ended_ || hang_up;
  for (;;) {
    // Of a long body only the length matters, so the kernel need not copy it. TCP alone knows how to leave it.
    const std::size_t skippable = discards_ ? parser_.skippable() : 0;
    const bool skip = skippable >= kWorthSkippingBytes;
    const bool sips = discards_ && long_replies_ && !parser_.has_head();
    const std::size_t asked = skip ? skippable : sips ? kFirstBytes : size;
    const ssize_t got = skip ? discard(fd_.get(), asked) : receive_bytes(fd_.get(), buffer, asked);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Io::kWait;
      error_ = errno;
      return Io::kLost;
    }
    if (got == 0) {
      peer_ended_ = true;
      error_ = 0;
      return parser_.end_of_stream() == ParseState::kComplete ? Io::kDone : Io::kLost;
    }
    const auto bytes = static_cast<std::size_t>(got);
    const ParseState parsed = skip ? parser_.skip(bytes) : parser_.feed(buffer, bytes);
    if (parsed == ParseState::kBad) return Io::kBad;
    if (parsed == ParseState::kComplete) {
      surplus_ = parser_.consumed() < bytes || (bytes == asked && has_more());
      return Io::kDone;
    }
    // The clock is read for long replies only: of one that came whole, the first byte is known with its end.
    if (first_byte_ns_ == kNoTime) first_byte_ns_ = now_ns();
    // Less than asked for: the kernel has no more and will report when it has.
    if (bytes < asked && !peer_ended_) return Io::kWait;
  }
}

bool Connection::has_more() {
  char byte = 0;
  return ::recv(fd_.get(), &byte, 1, MSG_PEEK) > 0;
}

void Connection::end_request() {
  served_ += 1;
  // A server's replies are mostly alike; where this one is not, it costs a call more.
  long_replies_ = parser_.body_bytes() > kFirstBytes + kWorthSkippingBytes;
  if (state_ == State::kBusy) state_ = State::kIdle;
}

void Connection::close() {
  fd_.reset();
  state_ = State::kClosed;
}

bool Connection::reusable() const { return left_ == 0 && !peer_ended_ && !surplus_ && parser_.keeps_connection(); }

RequestRecord Connection::record(Outcome outcome, std::int32_t cause, std::int64_t end_ns, bool open_loop) const {
  const bool sent = sent_ns_ != kNotSent;
  const bool complete = outcome == Outcome::kOk || outcome == Outcome::kStatus;
  const bool reused_unanswered = sent && served_ > 0 && !parser_.has_head();
  RequestRecord row;
  row.intended_ns = intended_ns(open_loop);
  row.sent_ns = sent_ns_;
  row.first_byte_ns = first_byte_ns_ == kNoTime && complete ? end_ns : first_byte_ns_;
  row.end_ns = end_ns;
  row.number = static_cast<std::uint32_t>(due_.number);
  row.request_bytes = sent ? body_bytes_ : 0;
  row.response_bytes = sent ? parser_.body_bytes() : 0;
  row.cause = cause;
  row.status = complete ? parser_.status() : std::uint16_t{0};
  row.outcome = outcome;
  row.flags = due_.phase == LoadPhase::kMeasurement ? kMeasuredFlag : 0;
  if (reused_unanswered) row.flags |= kReusedUnansweredFlag;
  return row;
}

std::int64_t Connection::intended_ns(bool open_loop) const {
  if (open_loop || waited_for_connection_ || sent_ns_ == kNotSent) return due_.due_ns;
  return sent_ns_;
}

}  // namespace mpsbench
