// One side of the trial of io_uring, without Node: the load engine, or a bare closed loop over epoll or io_uring.
// Usage: uring_trial engine|epoll|uring PORT CONNECTIONS BODY_BYTES REPLY_BYTES SECONDS; prints one line of JSON.
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "epoll_client.h"
#include "load/engine.h"
#include "uring_client.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kWarmupNs = 500'000'000;
constexpr std::int64_t kTakeNs = 125'000'000;
constexpr std::size_t kBatchRows = 65536;

LoadSpec spec_of(int port, std::uint32_t connections, std::size_t body_bytes, double seconds) {
  LoadSpec spec;
  Endpoint endpoint;
  auto* address = reinterpret_cast<sockaddr_in*>(&endpoint.address);
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address->sin_port = htons(static_cast<std::uint16_t>(port));
  endpoint.length = sizeof(sockaddr_in);
  spec.endpoints = {endpoint};
  PreparedRequest request;
  request.body_bytes = body_bytes;
  request.bytes = "POST / HTTP/1.1\r\nhost: 127.0.0.1:" + std::to_string(port) +
                  "\r\ncontent-type: application/octet-stream\r\ncontent-length: " + std::to_string(body_bytes) +
                  "\r\n\r\n" + std::string(body_bytes, 'x');
  spec.requests.push_back(std::move(request));
  for (std::size_t status = 200; status < 300; ++status) spec.ok_statuses[status] = true;
  spec.connections = connections;
  spec.measurement_start_ns = now_ns() + kWarmupNs;
  spec.deadline_ns = spec.measurement_start_ns + static_cast<std::int64_t>(seconds * 1e9);
  spec.timeout_ns = 30'000'000'000;
  return spec;
}

// User and system time of all threads, those that the kernel made for the ring included.
std::int64_t cpu_ns() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto nanoseconds = [](const timeval& time) { return (time.tv_sec * 1'000'000 + time.tv_usec) * 1'000; };
  return nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
}

void sleep_until(std::int64_t time_ns) {
  const timespec at{time_ns / 1'000'000'000, time_ns % 1'000'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

struct Window {
  std::int64_t cpu_ns = 0;
  std::int64_t ok = 0;
  std::int64_t bad = 0;
};

// Takes rows as often as the JavaScript side does. `drain`: appends rows, so many at the most.
template <class Drain>
void take_until(std::int64_t end_ns, const LoadSpec& spec, Drain& drain, Window& window) {
  std::vector<RequestRecord> rows;
  rows.reserve(kBatchRows);
  while (now_ns() < end_ns) {
    sleep_until(std::min(now_ns() + kTakeNs, end_ns));
    do {
      rows.clear();
      drain(rows, kBatchRows);
      for (const RequestRecord& row : rows) {
        if ((row.flags & kMeasuredFlag) == 0 || row.end_ns >= spec.deadline_ns) continue;
        (row.outcome == Outcome::kOk ? window.ok : window.bad) += 1;
      }
    } while (rows.size() == kBatchRows);
  }
}

// The clock of the CPU is read at both ends of the measurement.
template <class Drain>
Window watch(const LoadSpec& spec, Drain drain) {
  Window window;
  take_until(spec.measurement_start_ns, spec, drain, window);
  const std::int64_t cpu_start_ns = cpu_ns();
  take_until(spec.deadline_ns, spec, drain, window);
  window.cpu_ns = cpu_ns() - cpu_start_ns;
  return window;
}

Result<Window> over_engine(const LoadSpec& spec) {
  auto engine = LoadEngine::start(spec, [] {});
  if (!engine.ok()) return engine.error();
  return watch(spec, [&](std::vector<RequestRecord>& rows, std::size_t most) { engine.value()->drain(rows, most); });
}

template <class Client>
Result<Window> over_bare(const LoadSpec& spec, const std::unique_ptr<Client> client) {
  Status ended = Ok{};
  auto thread = Thread::start([&] { ended = client->run(); });
  if (!thread.ok()) return thread.error();
  Window window = watch(spec, [&](std::vector<RequestRecord>& rows, std::size_t most) { client->drain(rows, most); });
  thread.value().join();
  if (!ended.ok()) return ended.error();
  return window;
}

Result<Window> over(std::string_view backend, const LoadSpec& spec, std::size_t reply_bytes) {
  if (backend == "engine") return over_engine(spec);
  if (backend == "uring") return over_bare(spec, std::make_unique<UringClient>(spec, reply_bytes));
  return over_bare(spec, std::make_unique<EpollClient>(spec));
}

int run(std::string_view backend, const LoadSpec& spec, std::size_t reply_bytes) {
  const Result<Window> window = over(backend, spec, reply_bytes);
  if (!window.ok()) {
    std::fprintf(stderr, "uring_trial: %s\n", window.error().detail.c_str());
    return 1;
  }
  const auto& [cpu, ok, bad] = window.value();
  const double seconds = static_cast<double>(spec.deadline_ns - spec.measurement_start_ns) / 1e9;
  std::printf("{\"cpuPerRequestNs\": %.1f, \"requestsPerSecond\": %.1f}\n",
              static_cast<double>(cpu) / static_cast<double>(ok), static_cast<double>(ok) / seconds);
  return bad == 0 && ok > 0 ? 0 : 1;
}

}  // namespace
}  // namespace mpsbench

int main(int count, char** values) {
  if (count != 7) {
    std::fputs("usage: uring_trial engine|epoll|uring PORT CONNECTIONS BODY_BYTES REPLY_BYTES SECONDS\n", stderr);
    return 2;
  }
  const auto connections = static_cast<std::uint32_t>(std::atoi(values[3]));
  const auto body_bytes = static_cast<std::size_t>(std::atoll(values[4]));
  const mpsbench::LoadSpec spec =
      mpsbench::spec_of(std::atoi(values[2]), connections, body_bytes, std::atof(values[6]));
  return mpsbench::run(values[1], spec, static_cast<std::size_t>(std::atoll(values[5])));
}
