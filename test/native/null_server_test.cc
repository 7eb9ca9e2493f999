// The null server against clients of every kind, over real sockets.
#include "load/null_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "check.h"

namespace mpsbench {
namespace {

using test::Check;

constexpr int kPatienceMs = 20'000;

std::unique_ptr<NullServer> started(std::size_t response_bytes, std::uint32_t threads = 1) {
  auto server = NullServer::start(response_bytes, threads);
  return server.ok() ? std::move(server.value()) : nullptr;
}

// A blocking client. Thread: one.
class Client {
 public:
  explicit Client(const NullServer& server) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server.port());
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // The next `count` bytes, or what came before the end of the connection or of all patience.
  [[nodiscard]] std::string receive(std::size_t count) const {
    std::string read;
    char buffer[65536];
    while (read.size() < count) {
      pollfd watched{fd_.get(), POLLIN, 0};
      if (::poll(&watched, 1, kPatienceMs) <= 0) break;
      const ssize_t got = ::recv(fd_.get(), buffer, std::min(sizeof buffer, count - read.size()), 0);
      if (got <= 0) break;
      read.append(buffer, static_cast<std::size_t>(got));
    }
    return read;
  }

  // Whether the server has closed the connection, once all is read.
  [[nodiscard]] bool ended() const {
    pollfd watched{fd_.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&watched, 1, kPatienceMs) > 0 && ::recv(fd_.get(), &byte, 1, 0) <= 0;
  }

  void close() { fd_.reset(); }
  void end_sending() const { ::shutdown(fd_.get(), SHUT_WR); }

 private:
  UniqueFd fd_;
  bool connected_ = false;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

std::string reply_to(std::size_t response_bytes) {
  return std::string(NullReplies(response_bytes).reply(false, false));
}

void keeps_connections(Check& check) {
  const auto server = started(7);
  const Client client(*server);
  const std::string reply = reply_to(7);
  for (int round = 0; round < 3; ++round) {
    client.send(kGet);
    CHECK_THAT(check, client.receive(reply.size()) == reply);
  }
  CHECK_THAT(check, reply.ends_with("\r\n\r\nxxxxxxx"));
}

void answers_pipelined_requests(Check& check) {
  const auto server = started(2);
  const Client client(*server);
  std::string requests;
  std::string replies;
  for (int number = 0; number < 500; ++number) {
    requests += number % 2 == 0 ? std::string(kGet) : "POST / HTTP/1.1\r\nCONTENT-LENGTH: 5\r\n\r\nab\r\n\r";
    replies += reply_to(2);
  }
  client.send(requests);
  CHECK_THAT(check, client.receive(replies.size()) == replies);
}

void answers_requests_in_pieces(Check& check) {
  const auto server = started(0);
  const Client client(*server);
  const std::string request = "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody";
  for (const char byte : request) {
    client.send({&byte, 1});
    std::this_thread::yield();
  }
  CHECK_THAT(check, client.receive(reply_to(0).size()) == reply_to(0));
}

void answers_big_bodies(Check& check) {
  const std::size_t bytes = 8 * 1024 * 1024;
  const auto server = started(bytes);
  const Client client(*server);
  for (int round = 0; round < 2; ++round) {
    client.send("POST / HTTP/1.1\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'b'));
    CHECK_THAT(check, client.receive(reply_to(bytes).size()) == reply_to(bytes));
  }
}

// Replies that nobody reads fill the kernel's buffers; the server must wait and lose nothing.
void waits_for_slow_readers(Check& check) {
  const std::size_t bytes = 1024 * 1024;
  const auto server = started(bytes);
  const Client client(*server);
  std::string requests;
  for (int number = 0; number < 40; ++number) requests += kGet;
  client.send(requests);
  client.end_sending();
  for (int number = 0; number < 40; ++number) {
    CHECK_THAT(check, client.receive(reply_to(bytes).size()) == reply_to(bytes));
  }
  CHECK_THAT(check, client.ended());
}

void heeds_connection_close(Check& check) {
  const auto server = started(3);
  const Client client(*server);
  client.send("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n");
  const std::string reply(NullReplies(3).reply(false, true));
  CHECK_THAT(check, client.receive(reply.size()) == reply);
  CHECK_THAT(check, client.ended());
}

void sends_no_body_to_head(Check& check) {
  const auto server = started(3);
  const Client client(*server);
  const std::string reply(NullReplies(3).reply(true, false));
  client.send("HEAD / HTTP/1.1\r\nhost: x\r\n\r\n");
  CHECK_THAT(check, client.receive(reply.size()) == reply);
  client.send(kGet);
  CHECK_THAT(check, client.receive(reply_to(3).size()) == reply_to(3));
}

// Clients that go in the middle of a head, of a body and of a reply leave the others served.
void survives_early_ends(Check& check) {
  const auto server = started(1024 * 1024);
  const std::string_view parts[] = {"", "GET / HT", "POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\nhalf", kGet};
  for (int round = 0; round < 50; ++round) {
    for (const std::string_view part : parts) {
      Client client(*server);
      client.send(part);
      client.close();
    }
  }
  const Client client(*server);
  client.send(kGet);
  CHECK_THAT(check, client.receive(reply_to(1024 * 1024).size()) == reply_to(1024 * 1024));
}

void refuses_endless_heads(Check& check) {
  const auto server = started(1);
  const Client client(*server);
  client.send("GET / HTTP/1.1\r\nx: " + std::string(1024 * 1024, 'y'));
  CHECK_THAT(check, client.ended());
}

void shares_a_port_between_threads(Check& check) {
  const auto server = started(5, 3);
  std::vector<Client> clients;
  for (int number = 0; number < 60; ++number) clients.emplace_back(*server);
  for (const Client& client : clients) {
    client.send(kGet);
    CHECK_THAT(check, client.receive(reply_to(5).size()) == reply_to(5));
  }
}

void closes_what_is_open_when_it_stops(Check& check) {
  const auto server = started(1);
  const Client client(*server);
  client.send(kGet);
  CHECK_THAT(check, client.receive(reply_to(1).size()) == reply_to(1));
  server->stop();
  server->stop();
  CHECK_THAT(check, client.ended());
  CHECK_THAT(check, !Client(*server).connected());
}

constexpr test::Case kCases[] = {
    {"a connection serves one request after the other", keeps_connections},
    {"pipelined requests, with and without a body, are answered one by one", answers_pipelined_requests},
    {"a request that comes byte by byte is answered once", answers_requests_in_pieces},
    {"bodies of 8 MiB go both ways", answers_big_bodies},
    {"a client that reads late gets every reply whole", waits_for_slow_readers},
    {"'Connection: close' closes after the reply", heeds_connection_close},
    {"HEAD is answered without a body", sends_no_body_to_head},
    {"clients that go early harm nobody", survives_early_ends},
    {"a head without an end closes the connection", refuses_endless_heads},
    {"several threads answer on one port", shares_a_port_between_threads},
    {"stopping closes what is open, and the port", closes_what_is_open_when_it_stops},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
