#include "load/null_server_loop.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace mpsbench {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
// A client that sends a longer head is none of ours.
constexpr std::size_t kMostHeadBytes = 256 * 1024;
constexpr int kBacklog = 16384;

Error system_error(const char* call) {
  const int code = errno;
  return {"LOAD_FAILED",
          std::string(call) + " failed for the null server (" + std::strerror(code) +
              "): free a port or "
              "raise the limit of open files (ulimit -n)",
          code};
}

std::string reply_of(std::size_t response_bytes, const char* connection) {
  return std::string("HTTP/1.1 200 OK\r\nConnection: ") + connection +
         "\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(response_bytes) +
         "\r\n\r\n" + std::string(response_bytes, 'x');
}

bool same_letters(std::string_view one, std::string_view lower) {
  return one.size() == lower.size() && std::equal(one.begin(), one.end(), lower.begin(),
                                                  [](unsigned char a, char b) { return std::tolower(a) == b; });
}

// Calls `heed` with the name and the value of each line of a head after the first.
template <class Heed>
void each_header(std::string_view head, Heed heed) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    head.remove_prefix(at + 2);
    at = head.find("\r\n");
    const std::string_view line = head.substr(0, at);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    heed(line.substr(0, colon), value);
  }
}

}  // namespace

NullReplies::NullReplies(std::size_t response_bytes)
    : response_bytes_(response_bytes),
      kept_(reply_of(response_bytes, "keep-alive")),
      closed_(reply_of(response_bytes, "close")) {}

std::string_view NullReplies::reply(bool head_only, bool closing) const {
  std::string_view whole = closing ? closed_ : kept_;
  if (head_only) whole.remove_suffix(response_bytes_);
  return whole;
}

NullServerLoop::NullServerLoop(const NullReplies& replies, const std::atomic<bool>& stopping)
    : replies_(replies), stopping_(stopping), buffer_(std::make_unique<char[]>(kBufferBytes)) {}

Result<std::uint16_t> NullServerLoop::listen(std::uint16_t port) {
  if (const Status ready = loop_.set_up(); !ready.ok()) return ready.error();
  listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener_.valid()) return system_error("socket");
  const int on = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  if (::bind(listener_.get(), any, length) != 0) return system_error("bind");
  if (::listen(listener_.get(), kBacklog) != 0) return system_error("listen");
  if (!watch(listener_.get())) return system_error("epoll_ctl");
  if (::getsockname(listener_.get(), any, &length) != 0) return system_error("getsockname");
  return ntohs(address.sin_port);
}

void NullServerLoop::run() {
  while (!stopping_) {
    for (const epoll_event& event : loop_.wait(false)) {
      const int fd = static_cast<int>(event.data.u64);
      if (fd == listener_.get())
        accept_all();
      else
        on_event(fd, event.events);
    }
  }
}

bool NullServerLoop::watch(int fd) const {
  epoll_event watched{};
  watched.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  watched.data.u64 = static_cast<std::uint64_t>(fd);
  return ::epoll_ctl(loop_.epoll_fd(), EPOLL_CTL_ADD, fd, &watched) == 0;
}

void NullServerLoop::accept_all() {
  for (;;) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    // A client that is gone again is not the last one.
    if (!fd.valid() && errno == ECONNABORTED) continue;
    if (!fd.valid()) return;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto number = static_cast<std::size_t>(fd.get());
    if (!watch(fd.get())) continue;
    if (clients_.size() <= number) clients_.resize(number + 1);
    clients_[number] = std::make_unique<NullClient>();
    clients_[number]->fd = std::move(fd);
  }
}

void NullServerLoop::on_event(int fd, std::uint32_t events) {
  const auto number = static_cast<std::size_t>(fd);
  // An event of a connection that an earlier one of this turn has ended.
  if (number >= clients_.size() || !clients_[number]) return;
  NullClient& client = *clients_[number];
  const bool ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  // A connection that can be written to and has nothing to write is of no interest.
  if (!ending && (events & EPOLLIN) == 0 && client.unsent.empty()) return;
  if (serve(client, ending)) return;
  clients_[number].reset();
  // What waits may have waited for a descriptor.
  accept_all();
}

// False when the connection is over. Reads nothing more while a reply cannot be sent: its client is to read first.
// `ending`: the client sends nothing more, and no further event will say so.
bool NullServerLoop::serve(NullClient& client, bool ending) {
  if (!flush(client)) return false;
  if (!client.pending.empty() && client.unsent.empty()) {
    const std::string held = std::exchange(client.pending, {});
    std::string_view bytes = held;
    if (!take(client, bytes)) return false;
    client.pending.insert(0, bytes);
  }
  while (client.unsent.empty()) {
    const ssize_t got = ::recv(client.fd.get(), buffer_.get(), kBufferBytes, 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    std::string_view bytes(buffer_.get(), static_cast<std::size_t>(got));
    if (client.pending.empty()) {
      if (!take(client, bytes)) return false;
      client.pending.assign(bytes);
    } else {
      client.pending.append(bytes);
      std::string_view all = client.pending;
      if (!take(client, all)) return false;
      client.pending.erase(0, client.pending.size() - all.size());
    }
    // A short read has taken everything: asking again would cost a call per request.
    if (!ending && static_cast<std::size_t>(got) < kBufferBytes) return true;
  }
  return true;
}

// Takes what it can of `bytes`: whole requests and parts of bodies. False when the connection is over.
bool NullServerLoop::take(NullClient& client, std::string_view& bytes) const {
  while (client.unsent.empty()) {
    if (!client.answer_due && !take_head(client, bytes)) return bytes.size() <= kMostHeadBytes;
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), client.body_left));
    client.body_left -= taken;
    bytes.remove_prefix(taken);
    if (client.body_left > 0) return true;
    client.answer_due = false;
    client.unsent = client.reply;
    if (!flush(client)) return false;
  }
  return true;
}

// True when the head is complete; then `bytes` goes on with its body.
bool NullServerLoop::take_head(NullClient& client, std::string_view& bytes) const {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return false;
  const std::string_view head = bytes.substr(0, end);
  client.body_left = 0;
  client.closing = false;
  each_header(head, [&client](std::string_view name, std::string_view value) {
    if (same_letters(name, "content-length")) {
      std::from_chars(value.data(), value.data() + value.size(), client.body_left);
    } else if (same_letters(name, "connection")) {
      client.closing = same_letters(value, "close");
    }
  });
  client.answer_due = true;
  client.reply = replies_.reply(head.starts_with("HEAD "), client.closing);
  bytes.remove_prefix(end + 4);
  return true;
}

// False when the connection is over: it broke, or its last reply is sent.
bool NullServerLoop::flush(NullClient& client) const {
  if (client.unsent.empty()) return true;
  while (!client.unsent.empty()) {
    const ssize_t sent = ::send(client.fd.get(), client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    client.unsent.remove_prefix(static_cast<std::size_t>(sent));
  }
  return !client.closing;
}

}  // namespace mpsbench
