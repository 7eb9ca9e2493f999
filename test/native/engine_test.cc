// The load engine's threads against a server in this process: counts, draining, stopping.
#include "load/engine.h"

#include <netinet/in.h>
#include <poll.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "check.h"

namespace mpsbench {
namespace {

using test::Check;

const std::vector<std::string> kShortReply = {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"};

// Answers whatever it reads with one reply after the other; or reads and says nothing. Thread: its own.
class Server {
 public:
  explicit Server(bool silent, std::vector<std::string> replies = kShortReply)
      : listener_(::socket(AF_INET, SOCK_STREAM, 0)), silent_(silent), replies_(std::move(replies)) {
    auto* address = reinterpret_cast<sockaddr_in*>(&endpoint_.address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    endpoint_.length = sizeof(sockaddr_in);
    auto* any = reinterpret_cast<sockaddr*>(&endpoint_.address);
    if (::bind(listener_.get(), any, endpoint_.length) != 0 || ::listen(listener_.get(), 64) != 0) std::abort();
    ::getsockname(listener_.get(), any, &endpoint_.length);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

 private:
  void serve(const std::stop_token& stop) {
    std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}};
    std::vector<UniqueFd> open;
    while (!stop.stop_requested()) {
      if (::poll(watched.data(), watched.size(), 10) <= 0) continue;
      for (std::size_t index = 1; index < watched.size(); ++index) {
        if (watched[index].revents != 0) answer(watched[index]);
      }
      if (watched[0].revents == 0) continue;
      open.emplace_back(::accept(listener_.get(), nullptr, nullptr));
      watched.push_back({open.back().get(), POLLIN, 0});
    }
  }

  void answer(pollfd& client) {
    char request[4096];
    if (::recv(client.fd, request, sizeof request, 0) <= 0) {
      client.fd = -1;
      return;
    }
    const std::string& reply = replies_[answered_++ % replies_.size()];
    if (!silent_) (void)!::send(client.fd, reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  UniqueFd listener_;
  bool silent_;
  std::vector<std::string> replies_;
  std::size_t answered_ = 0;
  Endpoint endpoint_;
  std::jthread thread_;
};

LoadSpec spec_for(const Server& server, std::uint32_t threads, std::uint32_t connections) {
  LoadSpec spec;
  spec.servers = {{server.endpoint()}};
  spec.requests = {{"GET / HTTP/1.1\r\nhost: x\r\n\r\n", 0}};
  for (std::size_t status = 200; status < 300; ++status) spec.ok_statuses[status] = true;
  spec.threads = threads;
  spec.connections = connections;
  spec.timeout_ns = 10'000'000'000;
  return spec;
}

// Takes rows until the engine is done.
std::vector<RequestRecord> rows_of(LoadEngine& engine, const std::atomic<bool>& done) {
  std::vector<RequestRecord> rows;
  while (!done.load()) {
    engine.drain(rows, rows.size() + 100);
    std::this_thread::yield();
  }
  engine.drain(rows, SIZE_MAX);
  return rows;
}

void each_request_leaves_one_row(Check& check) {
  for (const std::uint32_t threads : {1U, 3U}) {
    const Server server(false);
    LoadSpec spec = spec_for(server, threads, 5);
    spec.measured_requests = 1001;
    std::atomic<bool> done{false};
    const auto engine = LoadEngine::start(std::move(spec), [&done] { done = true; });
    const auto rows = rows_of(*engine.value(), done);
    CHECK_THAT(check, rows.size() == 1001);
    for (const RequestRecord& row : rows) {
      CHECK_THAT(check, row.outcome == Outcome::kOk && row.status == 200 && row.response_bytes == 2);
      CHECK_THAT(check, row.intended_ns <= row.sent_ns && row.sent_ns < row.end_ns);
    }
    CHECK_THAT(check, engine.value()->connections_made() == 5 && engine.value()->outstanding_max() == 5);
    CHECK_THAT(check, engine.value()->issuing_end_ns() != kNever);
  }
}

// Long replies are partly skipped, and what is asked for first depends on the one before.
void replies_of_any_length_are_counted_to_the_byte(Check& check) {
  constexpr std::size_t kSizes[] = {0, 2, 160, 1023, 5000, 16'384, 20'600, 300'000, 70'000, 2};
  std::vector<std::string> replies;
  for (const std::size_t size : kSizes) {
    const std::string body(size, 'x');
    replies.push_back("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(size) + "\r\n\r\n" + body);
    if (size > 0) {
      const std::string chunks = "5\r\nhello\r\n493e0\r\n" + std::string(300'000, 'y') + "\r\n0\r\n\r\n";
      replies.push_back("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks);
    }
  }
  std::vector<std::uint64_t> expected;
  for (const std::size_t size : kSizes) {
    expected.push_back(size);
    if (size > 0) expected.push_back(300'005);
  }
  const Server server(false, replies);
  LoadSpec spec = spec_for(server, 1, 1);
  spec.measured_requests = static_cast<std::int64_t>(2 * replies.size());
  std::atomic<bool> done{false};
  const auto engine = LoadEngine::start(std::move(spec), [&done] { done = true; });
  const auto rows = rows_of(*engine.value(), done);
  CHECK_THAT(check, rows.size() == 2 * expected.size());
  for (std::size_t at = 0; at < rows.size(); ++at) {
    CHECK_THAT(check, rows[at].outcome == Outcome::kOk && rows[at].response_bytes == expected[at % expected.size()]);
  }
  CHECK_THAT(check, engine.value()->connections_made() == 1);
}

// What follows a reply belongs to no request, so that the connection serves no other.
void surplus_behind_a_long_reply_ends_the_connection(Check& check) {
  const std::string reply = "HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n" + std::string(70'003, 'x');
  const Server server(false, {reply});
  LoadSpec spec = spec_for(server, 1, 1);
  spec.measured_requests = 5;
  std::atomic<bool> done{false};
  const auto engine = LoadEngine::start(std::move(spec), [&done] { done = true; });
  const auto rows = rows_of(*engine.value(), done);
  CHECK_THAT(check, rows.size() == 5);
  for (const RequestRecord& row : rows) CHECK_THAT(check, row.response_bytes == 70'000);
  CHECK_THAT(check, engine.value()->connections_made() == 5);
}

void an_open_loop_sends_its_schedule_on_time(Check& check) {
  const Server server(false);
  LoadSpec spec = spec_for(server, 2, 4);
  spec.open_loop = true;
  const std::int64_t start_ns = now_ns();
  for (std::int64_t number = 0; number < 200; ++number) spec.schedule.push_back(start_ns + number * 500'000);
  std::atomic<bool> done{false};
  const auto engine = LoadEngine::start(std::move(spec), [&done] { done = true; });
  const auto rows = rows_of(*engine.value(), done);
  CHECK_THAT(check, rows.size() == 200);
  for (const RequestRecord& row : rows)
    CHECK_THAT(check, row.sent_ns >= row.intended_ns && row.outcome == Outcome::kOk);
}

void stopping_cuts_off_what_is_in_flight(Check& check) {
  const Server server(true);
  std::atomic<bool> done{false};
  const auto engine = LoadEngine::start(spec_for(server, 2, 6), [&done] { done = true; });
  while (engine.value()->connections_made() < 6) std::this_thread::yield();
  engine.value()->stop();
  const auto rows = rows_of(*engine.value(), done);
  CHECK_THAT(check, rows.size() == 6);
  for (const RequestRecord& row : rows) CHECK_THAT(check, row.outcome == Outcome::kAborted);
}

void closing_needs_nobody_to_take_the_rows(Check& check) {
  const Server server(false);
  std::atomic<bool> done{false};
  const auto engine = LoadEngine::start(spec_for(server, 2, 4), [&done] { done = true; });
  while (engine.value()->connections_made() < 4) std::this_thread::yield();
  engine.value()->close();
  CHECK_THAT(check, done.load());
  engine.value()->close();
}

void silence_ends_as_a_timeout_without_a_timer_for_each(Check& check) {
  const Server server(true);
  LoadSpec spec = spec_for(server, 1, 8);
  spec.measured_requests = 16;
  spec.timeout_ns = 20'000'000;
  std::atomic<bool> done{false};
  const auto engine = LoadEngine::start(std::move(spec), [&done] { done = true; });
  const auto rows = rows_of(*engine.value(), done);
  CHECK_THAT(check, rows.size() == 16);
  for (const RequestRecord& row : rows) {
    CHECK_THAT(check, row.outcome == Outcome::kTimeout && row.end_ns - row.intended_ns >= 19'000'000);
  }
}

constexpr test::Case kCases[] = {
    {"each request leaves one row", each_request_leaves_one_row},
    {"replies of any length are counted to the byte", replies_of_any_length_are_counted_to_the_byte},
    {"surplus behind a long reply ends the connection", surplus_behind_a_long_reply_ends_the_connection},
    {"an open loop sends its schedule on time", an_open_loop_sends_its_schedule_on_time},
    {"stopping cuts off what is in flight", stopping_cuts_off_what_is_in_flight},
    {"closing needs nobody to take the rows", closing_needs_nobody_to_take_the_rows},
    {"silence ends as a timeout", silence_ends_as_a_timeout_without_a_timer_for_each},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
