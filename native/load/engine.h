// Starts the sending threads, stops them, and collects their rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/thread.h"
#include "load/lag_histogram.h"
#include "load/load_spec.h"
#include "load/request_pages.h"
#include "load/request_record.h"
#include "load/worker.h"

namespace mpsbench {

// One run, once. Thread: one, except where it says otherwise.
class LoadEngine {
 public:
  // Starts to send. `on_done` is called once, from a sending thread, after the last row was handed over. LOAD_FAILED
  // where the system refuses what the threads need.
  static Result<std::unique_ptr<LoadEngine>> start(LoadSpec spec, std::function<void()> on_done);
  LoadEngine(const LoadEngine&) = delete;
  LoadEngine& operator=(const LoadEngine&) = delete;
  ~LoadEngine() { close(); }

  // Cuts off what is in flight; done follows when all rows are handed over, so they must be taken until then.
  void stop();
  // The warm-up ends at that moment, which is still to come, instead of when the spec has it end.
  void begin_measurement(const MeasurementWindow& window);
  // As stop(), but waits for the threads, a few milliseconds; rows that nobody took are dropped. Idempotent.
  void close();
  // Appends the rows since the last call, until `into` holds `most`: then there may be more.
  void drain(std::vector<RequestRecord>& into, std::size_t most);

  // Of all threads.
  [[nodiscard]] std::int64_t connections_made() const;
  // Requests that are due and not ended, as of the last turn of each thread.
  [[nodiscard]] std::int64_t outstanding() const;
  // Requests that were due and not ended, at the most; with several threads the sum of each one's most.
  [[nodiscard]] std::int64_t outstanding_max() const;
  // Until when requests were issued without a break; kNever while that is unknown.
  [[nodiscard]] std::int64_t issuing_end_ns() const;
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  // After done or close().
  [[nodiscard]] LagHistogram lag() const;

 private:
  explicit LoadEngine(LoadSpec spec, std::function<void()> on_done)
      : spec_(std::move(spec)), pages_(spec_.requests), on_done_(std::move(on_done)) {}

  const LoadSpec spec_;
  const RequestPages pages_;
  const std::function<void()> on_done_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<std::size_t> running_{0};
  // Last, so that the threads end before what they use.
  std::vector<Thread> threads_;
};

}  // namespace mpsbench
