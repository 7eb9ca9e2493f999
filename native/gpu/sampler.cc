#include "gpu/sampler.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "gpu/nvml_device.h"
#include "gpu/nvml_processes.h"
#include "gpu/nvml_return.h"

namespace mpsbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kDestructorDeadlineNs = 1'000'000'000;
// The most PIDs that the driver gives for one GPU is 950; beyond this room the list reader grows.
constexpr std::size_t kProcessRoomEntries = 1024;

template <class T>
double number(const Reading<T>& reading) {
  return reading.known() ? static_cast<double>(reading.value()) : kNone;
}

// steady_clock is CLOCK_MONOTONIC in libstdc++, so its time points can be made from now_ns().
std::chrono::steady_clock::time_point time_point(std::int64_t at_ns) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(at_ns));
}

DeviceRow read_row(const Nvml& gpu, const DeviceHandle& device) {
  const auto utilization = read_utilization(gpu, device);
  const bool utilized = utilization.known();
  return {.memory_used_bytes = number(read_memory(gpu, device).used_bytes),
          .gpu_utilization_percent = utilized ? utilization.value().gpu : kNone,
          .memory_utilization_percent = utilized ? utilization.value().memory : kNone,
          .sm_clock_mhz = number(read_clock_mhz(gpu, Call::kClock, device, nvml::kClockSm)),
          .memory_clock_mhz = number(read_clock_mhz(gpu, Call::kClock, device, nvml::kClockMemory)),
          .power_milliwatts = number(gpu.read_of<std::uint32_t>(Call::kPower, device)),
          .temperature_celsius = number(read_temperature_celsius(gpu, device)),
          .throttle_reason_mask = number(read_throttle_reason_mask(gpu, device))};
}

}  // namespace

struct Sampler::Shared {
  Shared(std::shared_ptr<const Nvml> session, SamplingPlan asked)
      : gpu(std::move(session)), plan(std::move(asked)), process_reader(kProcessRoomEntries) {
    entries.reserve(kProcessRoomEntries);
    rows.summary.period_ns = plan.period_ns;
    rows.tick_ns.reserve(plan.max_ticks);
    rows.device_rows.reserve(plan.max_ticks * plan.devices.size());
    rows.process_rows.reserve(plan.max_process_rows);
    for (const std::uint32_t index : plan.devices) {
      const Reading<std::string>& uuid = gpu->devices()[index].uuid;
      rows.device_uuids.push_back(uuid.known() ? uuid.value() : "index " + std::to_string(index));
    }
  }

  void tick(std::int64_t began_ns);
  void add_processes(std::uint32_t tick, std::uint32_t position, const DeviceHandle& device);
  // False when asked to stop before then.
  bool wait_until(std::int64_t at_ns) {
    std::unique_lock lock(mutex);
    return !stop_or_end.wait_until(lock, time_point(at_ns), [this] { return stop_asked; });
  }

  // Read by both threads, under the mutex.
  std::mutex mutex;
  std::condition_variable stop_or_end;
  bool stop_asked = false;
  bool ended = false;

  // The sampling thread's own until `ended`.
  std::shared_ptr<const Nvml> gpu;
  SamplingPlan plan;
  ProcessListReader process_reader;
  std::vector<ProcessEntryReading> entries;
  SamplingRows rows;
};

void Sampler::Shared::tick(std::int64_t began_ns) {
  if (rows.tick_ns.size() >= plan.max_ticks) {
    rows.summary.dropped_rows += plan.devices.size();
    return;
  }
  const auto tick_index = static_cast<std::uint32_t>(rows.tick_ns.size());
  rows.tick_ns.push_back(began_ns);
  for (std::size_t position = 0; position < plan.devices.size(); ++position) {
    const DeviceHandle& device = gpu->devices()[plan.devices[position]].handle;
    rows.device_rows.push_back(read_row(*gpu, device));
    add_processes(tick_index, static_cast<std::uint32_t>(position), device);
  }
  rows.summary.ticks += 1;
}

void Sampler::Shared::add_processes(std::uint32_t tick, std::uint32_t position, const DeviceHandle& device) {
  if (process_reader.read(*gpu, ProcessList::kCompute, device, entries)) return;
  const std::size_t room = plan.max_process_rows - rows.process_rows.size();
  const std::size_t kept = std::min(room, entries.size());
  rows.summary.dropped_rows += entries.size() - kept;
  for (std::size_t index = 0; index < kept; ++index) {
    const ProcessEntryReading& entry = entries[index];
    const double used_bytes = entry.used_bytes ? static_cast<double>(*entry.used_bytes) : kNone;
    rows.process_rows.push_back({tick, position, entry.pid, used_bytes});
  }
}

// Ticks stand on a grid that starts with the first; a grid point that has passed when a reading ends is missed, so
// that one slow reading does not shift or crowd the ones after it.
void Sampler::run(Shared& shared) {
  const std::int64_t period_ns = shared.plan.period_ns;
  SamplingSummary& summary = shared.rows.summary;
  std::int64_t due_ns = now_ns();
  while (shared.wait_until(due_ns)) {
    const std::int64_t began_ns = now_ns();
    if (began_ns - due_ns > period_ns / 10) summary.late_ticks += 1;
    shared.tick(began_ns);
    const std::int64_t ended_ns = now_ns();
    summary.max_read_ns = std::max(summary.max_read_ns, ended_ns - began_ns);
    const std::int64_t passed = (ended_ns - due_ns) / period_ns;
    summary.missed_ticks += static_cast<std::uint64_t>(passed);
    due_ns += (passed + 1) * period_ns;
  }
}

Result<std::shared_ptr<Sampler>> Sampler::start(std::shared_ptr<const Nvml> gpu, SamplingPlan plan) {
  const auto shared = std::make_shared<Shared>(std::move(gpu), std::move(plan));
  // The thread keeps what it works on alive, so that it can be let go when a call into the driver hangs.
  Result<Thread> thread = Thread::start([shared] {
    run(*shared);
    shared->gpu.reset();
    const std::lock_guard lock(shared->mutex);
    shared->ended = true;
    shared->stop_or_end.notify_all();
  });
  if (!thread.ok()) return thread.error();
  // The constructor is private, hence not make_shared.
  return std::shared_ptr<Sampler>(new Sampler(shared, std::move(thread.value())));
}

Sampler::Sampler(std::shared_ptr<Shared> shared, Thread thread)
    : shared_(std::move(shared)), thread_(std::move(thread)) {}

Sampler::~Sampler() { static_cast<void>(stop(kDestructorDeadlineNs)); }

Result<const SamplingRows*> Sampler::stop(std::int64_t deadline_ns) {
  if (thread_state_ == ThreadState::kRunning) {
    std::unique_lock lock(shared_->mutex);
    shared_->stop_asked = true;
    shared_->stop_or_end.notify_all();
    const bool ended =
        shared_->stop_or_end.wait_for(lock, std::chrono::nanoseconds(deadline_ns), [this] { return shared_->ended; });
    lock.unlock();
    thread_state_ = ended ? ThreadState::kEnded : ThreadState::kLost;
    if (ended) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }
  if (thread_state_ == ThreadState::kLost) {
    return hang_error("GPU sampling could not be stopped");
  }
  return static_cast<const SamplingRows*>(&shared_->rows);
}

}  // namespace mpsbench
