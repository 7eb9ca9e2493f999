// A server that answers at once, so that the load generator is what is measured: HTTP/1.1, one thread, one epoll.
// Usage: null_server [RESPONSE_BODY_BYTES]; prints its port on 127.0.0.1.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/unique_fd.h"

namespace mpsbench {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

struct Client {
  UniqueFd fd;
  // Of a head that is not complete yet.
  std::string head;
  // Bytes of the present request's body that are still to come.
  std::size_t body_left = 0;
  // What the kernel did not take yet.
  std::string unsent;
};

std::size_t content_length(std::string_view head) {
  std::string lower(head);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::size_t at = lower.find("\r\ncontent-length:");
  return at == std::string::npos ? 0 : std::strtoull(lower.c_str() + at + 17, nullptr, 10);
}

// Thread: one.
class NullServer {
 public:
  explicit NullServer(std::size_t response_bytes)
      : reply_("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: " + std::to_string(response_bytes) +
               "\r\n\r\n" + std::string(response_bytes, 'x')),
        buffer_(std::make_unique<char[]>(kBufferBytes)),
        epoll_(::epoll_create1(0)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {}

  // The port, or 0.
  int listen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    if (::bind(listener_.get(), any, length) != 0 || ::listen(listener_.get(), 16384) != 0) return 0;
    watch(listener_.get(), EPOLLIN);
    return ::getsockname(listener_.get(), any, &length) == 0 ? ntohs(address.sin_port) : 0;
  }

  void serve() {
    epoll_event events[256];
    for (;;) {
      const int count = ::epoll_wait(epoll_.get(), events, 256, -1);
      for (int at = 0; at < count; ++at) {
        const int fd = events[at].data.fd;
        if (fd == listener_.get())
          accept_all();
        else if (!on_event(clients_[fd], events[at].events))
          clients_.erase(fd);
      }
    }
  }

 private:
  void watch(int fd, std::uint32_t events) const {
    epoll_event watched{};
    watched.events = events;
    watched.data.fd = fd;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &watched);
  }

  void accept_all() {
    for (;;) {
      UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK));
      if (!fd.valid()) return;
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(fd.get(), EPOLLIN | EPOLLOUT | EPOLLET);
      const int number = fd.get();
      clients_[number].fd = std::move(fd);
    }
  }

  // False when the connection is over.
  bool on_event(Client& client, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !client.unsent.empty() && !flush(client)) return false;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return true;
    for (;;) {
      const ssize_t got = ::recv(client.fd.get(), buffer_.get(), kBufferBytes, 0);
      if (got < 0 && errno == EAGAIN) return true;
      if (got <= 0) return false;
      if (!take(client, {buffer_.get(), static_cast<std::size_t>(got)})) return false;
      if (static_cast<std::size_t>(got) < kBufferBytes) return true;
    }
  }

  bool take(Client& client, std::string_view bytes) {
    while (!bytes.empty()) {
      if (client.body_left == 0 && !take_head(client, bytes)) return true;
      const std::size_t taken = std::min(bytes.size(), client.body_left);
      client.body_left -= taken;
      bytes.remove_prefix(taken);
      if (client.body_left > 0) return true;
      client.unsent += reply_;
      if (!flush(client)) return false;
    }
    return true;
  }

  // True when the head is complete; then its body is what `bytes` goes on with.
  bool take_head(Client& client, std::string_view& bytes) {
    const bool whole = client.head.empty();
    if (!whole) client.head += bytes;
    const std::string_view seen = whole ? bytes : std::string_view(client.head);
    const std::size_t end = seen.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      if (whole) client.head = bytes;
      return false;
    }
    client.body_left = content_length(seen.substr(0, end + 2));
    bytes.remove_prefix(bytes.size() - (seen.size() - end - 4));
    client.head.clear();
    return true;
  }

  static bool flush(Client& client) {
    const ssize_t sent = ::send(client.fd.get(), client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    client.unsent.erase(0, static_cast<std::size_t>(sent));
    return true;
  }

  std::string reply_;
  std::unique_ptr<char[]> buffer_;
  UniqueFd epoll_;
  UniqueFd listener_;
  std::unordered_map<int, Client> clients_;
};

}  // namespace
}  // namespace mpsbench

int main(int count, char** values) {
  mpsbench::NullServer server(count > 1 ? std::strtoull(values[1], nullptr, 10) : 2);
  const int port = server.listen();
  if (port == 0) return 1;
  std::printf("%d\n", port);
  std::fflush(stdout);
  server.serve();
}
