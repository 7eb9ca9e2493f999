// The sampler and the session around it: rows, counts, and every order in which they can end.
#include "gpu/sampler.h"

#include <pthread.h>

#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/deadline_call.h"
#include "check.h"
#include "fake_driver.h"
#include "gpu/nvml_session.h"

namespace mpsbench {
namespace {

using test::Check;
using test::fake_library;
using test::ScenarioFile;

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kShortDeadlineNs = 50'000'000;

std::shared_ptr<NvmlSession> open_session(std::int64_t deadline_ns = kNvmlDeadlineNs) {
  auto opened = NvmlSession::open(fake_library(), kNvmlOpenDeadlineNs, deadline_ns);
  if (opened.ok()) return opened.value();
  std::printf("    %s\n", opened.error().detail.c_str());
  std::abort();
}

SamplingPlan plan_for(std::vector<std::uint32_t> devices) {
  return {.period_ns = kShortestPeriodNs, .max_ticks = 1000, .max_process_rows = 10'000, .devices = std::move(devices)};
}

// The last call of a tick on one device.
constexpr const char* kLastOfTick = "nvmlDeviceGetComputeRunningProcesses_v3";

void pause_ns(std::int64_t span_ns) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::chrono::nanoseconds(span_ns), [] { return false; });
}

void rows_hold_what_the_devices_said(Check& check) {
  ScenarioFile::play_logged(
      "gpu\nuuid GPU-a\nmemory 81559 480 1107\nutilization 87 12\nclocks 1980 2619 1980\npower 412345\nthrottle 4\n"
      "process 470 516 cm - - python3\nprocess 484 na c - - python3\n"
      "gpu\nuuid GPU-b\nreturn nvmlDeviceGetUtilizationRates 3\n");
  const auto session = open_session();
  const auto sampler = session->start_sampling(plan_for({0, 1})).value();
  CHECK_THAT(check, ScenarioFile::wait_for_calls(kLastOfTick, 4));
  const auto stopped = sampler->stop(kSecondNs);
  CHECK_THAT(check, stopped.ok());
  const SamplingRows& rows = *stopped.value();
  const std::size_t ticks = rows.tick_ns.size();
  CHECK_THAT(check, ticks >= 1 && rows.summary.ticks == ticks && rows.device_rows.size() == 2 * ticks);
  CHECK_THAT(check, rows.device_uuids == std::vector<std::string>{"GPU-a", "GPU-b"});
  CHECK_THAT(check, rows.device_rows[0].memory_used_bytes == 1107.0 * 1024 * 1024);
  CHECK_THAT(check, rows.device_rows[0].gpu_utilization_percent == 87 && rows.device_rows[0].throttle_reason_mask == 4);
  CHECK_THAT(check, std::isnan(rows.device_rows[1].gpu_utilization_percent));
  CHECK_THAT(check, rows.process_rows.size() == 2 * ticks);
  CHECK_THAT(check, rows.process_rows[0].pid == 470 && rows.process_rows[0].used_bytes == 516.0 * 1024 * 1024);
  CHECK_THAT(check, std::isnan(rows.process_rows[1].used_bytes) && rows.process_rows[1].device == 0);
  CHECK_THAT(check, rows.summary.dropped_rows == 0 && rows.summary.max_read_ns > 0);
  CHECK_THAT(check, sampler->stop(kSecondNs).value() == &rows);
}

void energy_is_not_read_on_ticks(Check& check) {
  ScenarioFile::play_logged("gpu\n");
  const auto session = open_session();
  const auto sampler = session->start_sampling(plan_for({0})).value();
  CHECK_THAT(check, ScenarioFile::wait_for_calls(kLastOfTick, 3));
  CHECK_THAT(check, sampler->stop(kSecondNs).ok());
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlDeviceGetPowerUsage") >= 3);
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlDeviceGetTotalEnergyConsumption") == 0);
}

void rows_beyond_the_reserve_are_counted(Check& check) {
  ScenarioFile::play("gpu\nprocess 470 516 c - - a\nprocess 471 516 c - - b\n");
  const auto session = open_session();
  SamplingPlan plan = plan_for({0});
  plan.max_ticks = 2;
  plan.max_process_rows = 3;
  const auto sampler = session->start_sampling(plan).value();
  pause_ns(500'000'000);
  const SamplingRows& rows = *sampler->stop(kSecondNs).value();
  CHECK_THAT(check, rows.tick_ns.size() == 2 && rows.device_rows.size() == 2 && rows.process_rows.size() == 3);
  // One process row, and a device row for each tick from the third on.
  CHECK_THAT(check, rows.summary.dropped_rows >= 2);
}

void a_reading_longer_than_the_period_misses_ticks_but_keeps_the_grid(Check& check) {
  ScenarioFile::play_logged("hang nvmlDeviceGetPowerUsage 12\ngpu\n");
  const auto session = open_session();
  const auto sampler = session->start_sampling(plan_for({0})).value();
  CHECK_THAT(check, ScenarioFile::wait_for_calls(kLastOfTick, 4));
  const SamplingRows& rows = *sampler->stop(kSecondNs).value();
  CHECK_THAT(check, rows.summary.max_read_ns >= 12'000'000);
  CHECK_THAT(check, rows.summary.missed_ticks >= 2 * (rows.summary.ticks - 1));
  CHECK_THAT(check, rows.summary.ticks >= 2);
  for (std::size_t tick = 1; tick < rows.tick_ns.size(); ++tick) {
    CHECK_THAT(check, rows.tick_ns[tick] - rows.tick_ns[tick - 1] >= 12'000'000);
  }
}

void a_stop_does_not_wait_for_the_next_tick(Check& check) {
  ScenarioFile::play("gpu\n");
  const auto session = open_session();
  SamplingPlan plan = plan_for({0});
  plan.period_ns = kLongestPeriodNs;
  const auto sampler = session->start_sampling(plan).value();
  const std::int64_t asked_ns = now_ns();
  CHECK_THAT(check, sampler->stop(5 * kSecondNs).ok());
  CHECK_THAT(check, now_ns() - asked_ns < 2 * kSecondNs);
}

void a_session_samples_one_at_a_time(Check& check) {
  ScenarioFile::play("gpu\n");
  const auto session = open_session();
  const auto first = session->start_sampling(plan_for({0})).value();
  const auto second = session->start_sampling(plan_for({0}));
  CHECK_THAT(check, !second.ok() && second.error().code == "ALREADY_RUNNING");
  CHECK_THAT(check, first->stop(kSecondNs).ok());
  CHECK_THAT(check, session->start_sampling(plan_for({0})).ok());
}

void closing_while_sampling_keeps_the_rows(Check& check) {
  ScenarioFile::play_logged("gpu\n");
  const auto session = open_session();
  const auto sampler = session->start_sampling(plan_for({0})).value();
  CHECK_THAT(check, ScenarioFile::wait_for_calls(kLastOfTick, 1));
  session->close();
  session->close();
  CHECK_THAT(check, sampler->stop(kSecondNs).ok() && sampler->stop(kSecondNs).value()->summary.ticks >= 1);
  CHECK_THAT(check, session->snapshot(false).error().code == "GPU_CLOSED");
  CHECK_THAT(check, session->start_sampling(plan_for({0})).error().code == "GPU_CLOSED");
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlShutdown") == 1);
}

void snapshots_and_sampling_go_together(Check& check) {
  ScenarioFile::play("gpu\nprocess 470 516 c - - a\n");
  const auto session = open_session();
  const auto sampler = session->start_sampling(plan_for({0})).value();
  for (int times = 0; times < 20; ++times) CHECK_THAT(check, session->snapshot(true).ok());
  CHECK_THAT(check, sampler->stop(kSecondNs).ok());
}

void processes_come_and_go_while_sampling(Check& check) {
  ScenarioFile::play_logged("gpu\nprocess 470 516 c - - a\n");
  const auto session = open_session();
  const auto sampler = session->start_sampling(plan_for({0})).value();
  CHECK_THAT(check, ScenarioFile::wait_for_calls(kLastOfTick, 2));
  ScenarioFile::play_logged("gpu\nprocess 999 72 c - - b\n");
  CHECK_THAT(check, ScenarioFile::wait_for_calls(kLastOfTick, 2));
  const SamplingRows& rows = *sampler->stop(kSecondNs).value();
  CHECK_THAT(check, !rows.process_rows.empty());
  CHECK_THAT(check, rows.process_rows.front().pid == 470 && rows.process_rows.back().pid == 999);
}

void an_opening_that_hangs_is_given_up(Check& check) {
  ScenarioFile::play_logged("hang nvmlInit_v2 60000\ngpu\n");
  const auto opened = NvmlSession::open(fake_library(), kShortDeadlineNs);
  CHECK_THAT(check, !opened.ok() && opened.error().code == "NVML_TIMEOUT");
  // The thread that was let go comes back, and cleans up after itself.
  ScenarioFile::play_logged_on("gpu\n");
  CHECK_THAT(check, ScenarioFile::wait_for_calls("nvmlShutdown", 1));
}

void a_snapshot_that_hangs_makes_the_session_unusable(Check& check) {
  ScenarioFile::play_logged("gpu\n");
  const auto session = open_session(kShortDeadlineNs);
  ScenarioFile::play_logged_on("hang nvmlDeviceGetTemperatureV 60000\ngpu\n");
  CHECK_THAT(check, session->snapshot(false).error().code == "NVML_TIMEOUT");
  CHECK_THAT(check, session->start_sampling(plan_for({0})).error().code == "NVML_TIMEOUT");
  session->close();
  ScenarioFile::play_logged_on("gpu\n");
  CHECK_THAT(check, session->snapshot(false).error().code == "NVML_TIMEOUT");
  CHECK_THAT(check, ScenarioFile::wait_for_calls("nvmlShutdown", 1));
}

void a_sampling_that_hangs_is_let_go(Check& check) {
  ScenarioFile::play_logged("hang nvmlDeviceGetPowerUsage 60000\ngpu\n");
  const auto session = open_session();
  const auto sampler = session->start_sampling(plan_for({0})).value();
  CHECK_THAT(check, ScenarioFile::wait_for_calls("nvmlDeviceGetPowerUsage", 1));
  CHECK_THAT(check, sampler->stop(kShortDeadlineNs).error().code == "NVML_TIMEOUT");
  CHECK_THAT(check, sampler->stop(kShortDeadlineNs).error().code == "NVML_TIMEOUT");
  session->close();
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlShutdown") == 0);
  ScenarioFile::play_logged_on("gpu\n");
  CHECK_THAT(check, ScenarioFile::wait_for_calls("nvmlShutdown", 1));
}

// While it lives no thread can be started here: its stack would not fit the address space.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    pthread_getattr_default_np(&usual_);
    pthread_attr_t vast;
    pthread_attr_init(&vast);
    pthread_attr_setstacksize(&vast, std::size_t{1} << 47);
    pthread_setattr_default_np(&vast);
    pthread_attr_destroy(&vast);
  }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;
  ~NoMoreThreads() {
    pthread_setattr_default_np(&usual_);
    pthread_attr_destroy(&usual_);
  }

 private:
  pthread_attr_t usual_;
};

void a_refused_thread_is_an_error(Check& check) {
  ScenarioFile::play_logged("gpu\n");
  const auto session = open_session();
  {
    const NoMoreThreads refusing;
    const auto opened = NvmlSession::open(fake_library());
    CHECK_THAT(check, !opened.ok() && opened.error().code == "THREAD_NOT_STARTED");
    CHECK_THAT(check, opened.error().native_code == EAGAIN || opened.error().native_code == ENOMEM);
    CHECK_THAT(check, opened.error().detail.find('\n') == std::string::npos);
    CHECK_THAT(check, session->snapshot(false).error().code == "THREAD_NOT_STARTED");
    CHECK_THAT(check, session->start_sampling(plan_for({0})).error().code == "THREAD_NOT_STARTED");
  }
  CHECK_THAT(check, session->snapshot(false).ok());
  const auto sampler = session->start_sampling(plan_for({0}));
  CHECK_THAT(check, sampler.ok() && sampler.value()->stop(kSecondNs).ok());
}

void closing_needs_no_thread(Check& check) {
  ScenarioFile::play_logged("gpu\n");
  const auto session = open_session();
  const NoMoreThreads refusing;
  session->close();
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlShutdown") == 1);
  CHECK_THAT(check, session->snapshot(false).error().code == "GPU_CLOSED");
}

constexpr test::Case kCases[] = {
    {"rows hold what the devices said, and nothing where they said nothing", rows_hold_what_the_devices_said},
    {"energy is not read on ticks", energy_is_not_read_on_ticks},
    {"rows beyond the reserve are counted", rows_beyond_the_reserve_are_counted},
    {"a reading longer than the period misses ticks but keeps the grid",
     a_reading_longer_than_the_period_misses_ticks_but_keeps_the_grid},
    {"a stop does not wait for the next tick", a_stop_does_not_wait_for_the_next_tick},
    {"a session samples one at a time", a_session_samples_one_at_a_time},
    {"closing while sampling keeps the rows", closing_while_sampling_keeps_the_rows},
    {"snapshots and sampling go together", snapshots_and_sampling_go_together},
    {"processes come and go while sampling", processes_come_and_go_while_sampling},
    {"an opening that hangs is given up, and cleans up when it comes back", an_opening_that_hangs_is_given_up},
    {"a snapshot that hangs makes the session unusable", a_snapshot_that_hangs_makes_the_session_unusable},
    {"a sampling that hangs is let go", a_sampling_that_hangs_is_let_go},
    {"a thread that the system refuses is an error, and the session goes on", a_refused_thread_is_an_error},
    {"closing needs no thread", closing_needs_no_thread},
};

}  // namespace
}  // namespace mpsbench

int main() {
  const mpsbench::test::ScenarioFile scenario;
  return mpsbench::test::run_cases(mpsbench::kCases);
}
