// One sending thread: one epoll, its connections, its share of the requests, its own rows.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "load/connection.h"
#include "load/connection_list.h"
#include "load/event_loop.h"
#include "load/excerpts.h"
#include "load/free_connections.h"
#include "load/issuer.h"
#include "load/lag_histogram.h"
#include "load/load_spec.h"
#include "load/record_ring.h"
#include "load/request_pages.h"
#include "load/request_texts.h"
#include "load/targets.h"

namespace mpsbench {

// Takes whole the replies of most servers; of longer ones it takes the head, and the rest is skipped.
using ReadBuffer = std::array<char, 16 * 1024>;

// Nothing on the way of a request allocates, locks or logs. Thread: run() by the worker; the rest as it says.
class Worker {
 public:
  // `spec` and `pages` outlive the worker.
  static Result<std::unique_ptr<Worker>> create(const LoadSpec& spec, const RequestPages& pages, std::uint32_t number);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() = default;

  // Sends until nothing more falls due and nothing is in flight, or until it is told to stop.
  void run();

  // Thread: any. Cuts off what is in flight; each such request still leaves its row.
  void stop() { tell(Order::kStop); }
  // Thread: any. As stop(), but rows for which there is no room are dropped, since nobody takes them any more.
  void abandon() { tell(Order::kAbandon); }
  // Thread: any. See Issuer.
  void begin_measurement(const MeasurementWindow& window) { issuer_.begin_measurement(window); }
  [[nodiscard]] std::int64_t deadline_ns() const { return issuer_.deadline_ns(); }
  // Thread: one. Appends the rows since the last call, the oldest of them where they are more than `most`.
  void drain(std::vector<RequestRecord>& into, std::size_t most) { rows_.drain(into, most); }
  // Thread: any.
  [[nodiscard]] const Excerpts& excerpts() const { return excerpts_; }
  [[nodiscard]] std::int64_t connections_made() const { return connections_made_.load(std::memory_order_relaxed); }
  // As of the last turn of the loop.
  [[nodiscard]] std::int64_t outstanding() const { return outstanding_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t outstanding_max() const { return outstanding_max_.load(std::memory_order_relaxed); }
  // kNever until the last request of a run by number is issued.
  [[nodiscard]] std::int64_t last_issue_ns() const { return last_issue_ns_.load(std::memory_order_acquire); }
  // After run() has returned. Turns of the loop inside the measurement.
  [[nodiscard]] const LagHistogram& lag() const { return lag_; }

 private:
  enum class Order : std::uint8_t { kGoOn, kStop, kAbandon };

  Worker(const LoadSpec& spec, const RequestPages& pages, std::uint32_t number, std::uint32_t connections);
  void tell(Order order);
  [[nodiscard]] bool finished() const { return issuer_.exhausted() && in_flight_.empty(); }

  void first_requests();
  void turn(std::span<const epoll_event> events, std::int64_t woken_ns);
  void note_lag(std::int64_t woken_ns);
  [[nodiscard]] std::int64_t next_wake_ns() const;
  void on_event(std::uint32_t index, std::uint32_t events);
  void resume(std::int64_t now_ns);
  void expire(std::int64_t now_ns);
  void fill(std::int64_t now_ns);
  void cut_off();

  void start(std::uint32_t index, DueRequest due);
  void connect(std::uint32_t index);
  void connected(std::uint32_t index);
  void cannot_connect(std::uint32_t index);
  void send(std::uint32_t index, bool first);
  void receive(std::uint32_t index, bool hang_up);
  void complete(std::uint32_t index);
  void lose(std::uint32_t index, Outcome outcome, std::int32_t cause);
  void end(std::uint32_t index, Outcome outcome, std::int32_t cause, std::int64_t end_ns);
  void free(std::uint32_t index);
  void serve_freed();
  void give_up_waiting(Outcome outcome, std::int64_t now_ns);
  void push(const RequestRecord& row);
  [[nodiscard]] std::int64_t count_outstanding() const;
  void note_outstanding();

  const LoadSpec& spec_;
  const RequestPages& pages_;
  EventLoop loop_;
  std::vector<Connection> connections_;
  ConnectionList in_flight_;
  ConnectionList paused_;
  Targets targets_;
  // Without a request.
  FreeConnections free_;
  // Freed in this turn and not looked after yet.
  std::vector<std::uint32_t> freed_;
  std::vector<std::uint32_t> serving_;
  Issuer issuer_;
  RequestTexts texts_;
  RecordRing rows_;
  Excerpts excerpts_;
  LagHistogram lag_;
  std::unique_ptr<ReadBuffer> buffer_;
  // The last reading of the clock: good enough for what follows at once.
  std::int64_t last_ns_ = 0;
  std::int64_t failures_in_a_row_ = 0;
  std::atomic<std::int64_t> connections_made_{0};
  std::atomic<std::int64_t> outstanding_{0};
  std::atomic<std::int64_t> outstanding_max_{0};
  std::atomic<std::int64_t> last_issue_ns_{kNever};
  std::atomic<Order> order_{Order::kGoOn};
};

}  // namespace mpsbench
