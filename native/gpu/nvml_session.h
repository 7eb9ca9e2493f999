// NVML for one caller that must never hang: every call into the driver has a deadline or a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "gpu/gpu_sample.h"
#include "gpu/nvml.h"
#include "gpu/sampler.h"
#include "gpu/sm_activity.h"
#include "gpu/xid_events.h"

namespace mpsbench {

// Without persistence mode opening is what starts the GPUs, which takes seconds each on a host with many.
constexpr std::int64_t kNvmlOpenDeadlineNs = 30'000'000'000;
constexpr std::int64_t kNvmlDeadlineNs = 5'000'000'000;

// Thread: the one that opened it.
class NvmlSession {
 public:
  // As Nvml::open, and NVML_TIMEOUT, THREAD_NOT_STARTED. deadline_ns: of every later call.
  static Result<std::shared_ptr<NvmlSession>> open(const std::optional<std::string>& path,
                                                   std::int64_t open_deadline_ns = kNvmlOpenDeadlineNs,
                                                   std::int64_t deadline_ns = kNvmlDeadlineNs);

  NvmlSession(const NvmlSession&) = delete;
  NvmlSession& operator=(const NvmlSession&) = delete;
  // As close(), with a second at most.
  ~NvmlSession();

  // Errors: NVML_TIMEOUT, after which the session answers nothing but that; GPU_CLOSED, THREAD_NOT_STARTED.
  Result<GpuSnapshot> snapshot(bool with_energy);

  // 0 after close().
  [[nodiscard]] std::size_t device_count() const;

  // The plan must be valid (sampler.h). Errors: ALREADY_RUNNING, GPU_CLOSED, NVML_TIMEOUT,
  // THREAD_NOT_STARTED.
  Result<std::shared_ptr<Sampler>> start_sampling(SamplingPlan plan);

  // Reads the counters of sm_activity.h; `device` is below device_count(). A window that was begun before is dropped.
  // Errors: as snapshot.
  Status begin_activity(std::size_t device);
  // Percent since begin_activity. Errors: as snapshot.
  Result<Reading<double>> end_activity();

  // Watches for Xid errors (xid_events.h); `device` is below device_count(). A watch that was begun before is dropped.
  // Errors: as snapshot.
  Status begin_xid_watch(std::size_t device);
  // Those since begin_xid_watch, which ends with it. Errors: as snapshot.
  Result<Reading<Xids>> end_xid_watch();

  // Stops a sampling that runs and shuts NVML down. A call that hangs is left to itself. Idempotent.
  void close() { close_within(deadline_ns_); }
  void close_within(std::int64_t deadline_ns);

 private:
  NvmlSession(std::shared_ptr<const Nvml> gpu, std::int64_t deadline_ns);
  [[nodiscard]] std::optional<Error> unusable(const char* what) const;
  // What `job` reads, within the deadline. what: begins the message of an error.
  template <class T>
  Result<T> read_in_time(const char* what, std::function<T()> job);

  std::shared_ptr<const Nvml> gpu_;
  std::shared_ptr<Sampler> sampler_;
  std::shared_ptr<SmActivity> activity_;
  std::shared_ptr<XidEvents> xid_events_;
  std::int64_t deadline_ns_;
  bool timed_out_ = false;
};

}  // namespace mpsbench
