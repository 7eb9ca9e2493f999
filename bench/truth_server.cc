// A server that knows its own truth: HTTP/1.1 GET, one thread, service times as asked for, each reply timed by itself.
// Usage: truth_server [fast_us=N] [slow_us=N] [slow_per_thousand=N] [seed=N] [stall_at_ms=N] [stall_ms=N]
// Prints its port on 127.0.0.1. GET /truth answers with what it measured, GET /reset forgets it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "service_times.h"
#include "truth.h"

namespace mpsbench {
namespace {

struct Options {
  ServiceTimeOptions service;
  // From the first request on; a stall of 0 is none.
  std::int64_t stall_at_ns = 0;
  std::int64_t stall_ns = 0;
};

struct Client {
  UniqueFd fd;
  // Tells a connection from a later one with the same descriptor.
  std::uint64_t number = 0;
  std::string head;
};

struct Pending {
  std::int64_t due_ns;
  std::int64_t arrived_ns;
  int fd;
  std::uint64_t client;
  bool operator>(const Pending& other) const { return due_ns > other.due_ns; }
};

// Received bytes with the time at which the kernel had them, which `arrived_ns` keeps where the kernel has none: what a
// request waits until the server wakes up is the server's time, not its client's.
ssize_t receive(int fd, char* buffer, std::size_t size, std::int64_t& arrived_ns) {
  iovec into{buffer, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
  msghdr message{};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(fd, &message, 0);
  if (got <= 0) return got;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec stamp{};
    std::memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME, &wall);
    const std::int64_t age_ns = (wall.tv_sec - stamp.tv_sec) * 1'000'000'000 + (wall.tv_nsec - stamp.tv_nsec);
    arrived_ns = now_ns() - age_ns;
  }
  return got;
}

std::string reply(std::string_view connection, std::string_view body) {
  return "HTTP/1.1 200 OK\r\nConnection: " + std::string(connection) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Thread: one.
class TruthServer {
 public:
  explicit TruthServer(const Options& options)
      : options_(options),
        times_(options.service),
        reply_(reply("keep-alive", "ok")),
        epoll_(::epoll_create1(0)),
        timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)),
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
    watch(timer_.get(), EPOLLIN);
    return ::getsockname(listener_.get(), any, &length) == 0 ? ntohs(address.sin_port) : 0;
  }

  void serve() {
    epoll_event events[256];
    for (;;) {
      const int count = ::epoll_wait(epoll_.get(), events, 256, -1);
      woken_ns_ = now_ns();
      for (int at = 0; at < count; ++at) {
        const int fd = events[at].data.fd;
        if (fd == listener_.get())
          accept_all();
        else if (fd != timer_.get() && !on_readable(clients_[fd]))
          close(fd);
      }
      answer_due();
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
      if (!fd.valid()) {
        if (errno != EAGAIN) truth_.accept_errno = errno;
        return;
      }
      if (truth_.first_accept_ns == 0) truth_.first_accept_ns = now_ns();
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::setsockopt(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
      watch(fd.get(), EPOLLIN);
      Client& client = clients_[fd.get()];
      client.number = ++accepted_;
      client.fd = std::move(fd);
      truth_.connections_most = std::max(truth_.connections_most, ++truth_.connections);
    }
  }

  void close(int fd) {
    clients_.erase(fd);
    --truth_.connections;
  }

  // False when the connection is over.
  bool on_readable(Client& client) {
    char buffer[4096];
    std::int64_t arrived_ns = woken_ns_;
    const ssize_t got = receive(client.fd.get(), buffer, sizeof buffer, arrived_ns);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    client.head.append(buffer, static_cast<std::size_t>(got));
    if (!client.head.ends_with("\r\n\r\n")) return true;
    const std::string head = std::exchange(client.head, {});
    // Who asks leaves with the answer, so that only the clients' connections are counted.
    if (head.starts_with("GET /truth ")) {
      send(client, reply("close", truth_json(truth_)));
      return false;
    }
    if (head.starts_with("GET /reset ")) {
      forget(client);
      return false;
    }
    begin(client, arrived_ns);
    return true;
  }

  void forget(const Client& client) {
    Truth fresh;
    fresh.connections = truth_.connections;
    truth_ = std::move(fresh);
    send(client, reply("close", "ok"));
  }

  void begin(const Client& client, std::int64_t arrived_ns) {
    if (truth_.first_arrival_ns == 0) {
      truth_.first_arrival_ns = arrived_ns;
      // The stall waits in the same queue, with no connection.
      if (options_.stall_ns > 0) pending_.push({woken_ns_ + options_.stall_at_ns, woken_ns_, -1, 0});
    }
    pending_.push({woken_ns_ + times_.next_ns(), arrived_ns, client.fd.get(), client.number});
  }

  // Answers what is due, then sets the timer for what is next.
  void answer_due() {
    std::uint64_t expirations = 0;
    (void)!::read(timer_.get(), &expirations, sizeof expirations);
    while (!pending_.empty() && pending_.top().due_ns <= now_ns()) {
      const Pending pending = pending_.top();
      pending_.pop();
      if (pending.fd < 0)
        stall(pending.due_ns + options_.stall_ns);
      else
        answer(pending);
    }
    itimerspec at{};
    if (!pending_.empty()) {
      at.it_value.tv_sec = pending_.top().due_ns / 1'000'000'000;
      at.it_value.tv_nsec = pending_.top().due_ns % 1'000'000'000;
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
  }

  // Deaf until then, as a server is in a pause of its collector.
  static void stall(std::int64_t until_ns) {
    const timespec until{until_ns / 1'000'000'000, until_ns % 1'000'000'000};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) continue;
  }

  void answer(const Pending& pending) {
    const auto found = clients_.find(pending.fd);
    if (found == clients_.end() || found->second.number != pending.client) return;
    if (send(found->second, reply_))
      truth_.spans_ns.push_back(now_ns() - pending.arrived_ns);
    else
      close(pending.fd);
  }

  // A reply of this size always finds room on a connection with one request at a time.
  static bool send(const Client& client, std::string_view bytes) {
    return ::send(client.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  Options options_;
  ServiceTimes times_;
  std::string reply_;
  Truth truth_;
  std::uint64_t accepted_ = 0;
  std::int64_t woken_ns_ = 0;
  std::priority_queue<Pending, std::vector<Pending>, std::greater<>> pending_;
  UniqueFd epoll_;
  UniqueFd timer_;
  UniqueFd listener_;
  std::unordered_map<int, Client> clients_;
};

// False for an argument that is none of the usage.
bool read_option(std::string_view text, Options& options) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = text.substr(0, equals);
  const std::int64_t value = std::strtoll(text.data() + equals + 1, nullptr, 10);
  if (name == "fast_us")
    options.service.fast_ns = value * 1000;
  else if (name == "slow_us")
    options.service.slow_ns = value * 1000;
  else if (name == "slow_per_thousand")
    options.service.slow_per_thousand = static_cast<int>(value);
  else if (name == "seed")
    options.service.seed = static_cast<std::uint64_t>(value);
  else if (name == "stall_at_ms")
    options.stall_at_ns = value * 1'000'000;
  else if (name == "stall_ms")
    options.stall_ns = value * 1'000'000;
  else
    return false;
  return true;
}

}  // namespace
}  // namespace mpsbench

int main(int count, char** values) {
  mpsbench::Options options;
  for (int at = 1; at < count; ++at) {
    if (mpsbench::read_option(values[at], options)) continue;
    std::fprintf(stderr, "truth_server: '%s' is no option; see the top of truth_server.cc\n", values[at]);
    return 2;
  }
  mpsbench::TruthServer server(options);
  const int port = server.listen();
  if (port == 0) return 1;
  std::printf("%d\n", port);
  std::fflush(stdout);
  server.serve();
}
