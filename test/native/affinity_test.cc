// Pinning of threads and of the whole process, read back from the system.
#include "base/affinity.h"

#include <atomic>
#include <thread>
#include <vector>

#include "base/thread.h"
#include "check.h"

namespace mpsbench {
namespace {

using test::Check;

std::vector<std::uint32_t> cpus_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::uint32_t> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (std::uint32_t cpu = 0; cpu < kMostCpus; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void started_thread_is_pinned(Check& check) {
  const std::uint32_t last = cpus_of_this_thread().back();
  std::vector<std::uint32_t> seen;
  auto thread = Thread::start([&seen] { seen = cpus_of_this_thread(); }, std::vector<std::uint32_t>{last});
  CHECK_THAT(check, thread.ok());
  if (!thread.ok()) return;
  thread.value().join();
  CHECK_THAT(check, seen == std::vector<std::uint32_t>{last});
}

void impossible_cpu_is_an_error(Check& check) {
  const std::vector<std::uint32_t> none_here{kMostCpus - 1};
  CHECK_THAT(check, !Thread::start([] {}, none_here).ok());
  const Status set = set_thread_cpus(none_here);
  CHECK_THAT(check, !set.ok() && set.error().code == "CPUS_NOT_SET");
  CHECK_THAT(check, !set_process_cpus(none_here).ok());
}

void every_thread_of_the_process_follows(Check& check) {
  const std::vector<std::uint32_t> all = cpus_of_this_thread();
  const std::vector<std::uint32_t> first{all.front()};
  std::atomic<int> step{0};
  std::vector<std::uint32_t> seen;
  std::thread other([&] {
    step.wait(0);
    seen = cpus_of_this_thread();
  });
  CHECK_THAT(check, set_process_cpus(first).ok());
  step = 1;
  step.notify_one();
  other.join();
  CHECK_THAT(check, seen == first);
  CHECK_THAT(check, cpus_of_this_thread() == first);
  CHECK_THAT(check, set_process_cpus(all).ok());
  CHECK_THAT(check, cpus_of_this_thread() == all);
}

constexpr test::Case kCases[] = {
    {"a thread that is started on one CPU may run on no other", started_thread_is_pinned},
    {"a CPU that is not there is an error", impossible_cpu_is_an_error},
    {"every thread of the process follows, and goes back", every_thread_of_the_process_follows},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
