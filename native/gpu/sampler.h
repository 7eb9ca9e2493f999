// Reads the cheap facts of some devices at a fixed period, on a thread of its own, into rows reserved beforehand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread.h"
#include "gpu/gpu_sample.h"
#include "gpu/nvml.h"

namespace mpsbench {

constexpr std::int64_t kShortestPeriodNs = 5'000'000;
constexpr std::int64_t kLongestPeriodNs = 10'000'000'000;

// period_ns: kShortestPeriodNs to kLongestPeriodNs. devices: indices below Nvml::devices().size(). The rows beyond
// max_ticks and max_process_rows are counted, not kept.
struct SamplingPlan {
  std::int64_t period_ns = 0;
  std::size_t max_ticks = 0;
  std::size_t max_process_rows = 0;
  std::vector<std::uint32_t> devices;
};

// As samplingSummarySchema of lib/records/gpu.ts.
struct SamplingSummary {
  std::int64_t period_ns = 0;
  std::uint64_t ticks = 0;
  std::uint64_t late_ticks = 0;
  std::uint64_t missed_ticks = 0;
  std::uint64_t dropped_rows = 0;
  std::int64_t max_read_ns = 0;
};

// device_rows: ticks x devices, tick by tick. tick_ns: now_ns() when each tick's reading began.
struct SamplingRows {
  SamplingSummary summary;
  std::vector<std::string> device_uuids;
  std::vector<std::int64_t> tick_ns;
  std::vector<DeviceRow> device_rows;
  std::vector<ProcessRow> process_rows;
};

// Thread: the one that made it. Its own thread shares nothing with that but the stop request, until it has ended.
class Sampler {
 public:
  // Starts at once; the first tick is now. Error: THREAD_NOT_STARTED.
  static Result<std::shared_ptr<Sampler>> start(std::shared_ptr<const Nvml> gpu, SamplingPlan plan);
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  // As stop(), but waits for a hanging call for a second at most.
  ~Sampler();

  // Ends the thread and gives its rows, also when called again. Error: NVML_TIMEOUT when a call into the driver did
  // not return within `deadline_ns`; the thread is then let go with its rows.
  Result<const SamplingRows*> stop(std::int64_t deadline_ns);

  // Whether stop() was called.
  [[nodiscard]] bool stopped() const {
    return thread_state_ == ThreadState::kEnded || thread_state_ == ThreadState::kLost;
  }

 private:
  struct Shared;
  enum class ThreadState : std::uint8_t { kRunning, kEnded, kLost };

  Sampler(std::shared_ptr<Shared> shared, Thread thread);
  static void run(Shared& shared);

  std::shared_ptr<Shared> shared_;
  Thread thread_;
  ThreadState thread_state_ = ThreadState::kRunning;
};

}  // namespace mpsbench
