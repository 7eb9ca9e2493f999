// The wish for a short slice, read back from the kernel.
#include "base/scheduling.h"

#include <sched.h>
#include <sys/utsname.h>

#include <cstdint>
#include <cstdio>
#include <utility>

#include "base/thread.h"
#include "check.h"

namespace mpsbench {
namespace {

using test::Check;

constexpr std::uint64_t kAskedNs = 100'000;

// EEVDF has heeded a slice since Linux 6.12.
bool kernel_heeds_slices() {
  utsname name{};
  int major = 0;
  int minor = 0;
  return ::uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         std::pair(major, minor) >= std::pair(6, 12);
}

void thread_that_asks_has_the_slice(Check& check) {
  std::uint64_t seen_ns = 0;
  auto thread = Thread::start([&seen_ns] {
    ask_for_short_slice();
    seen_ns = slice_ns();
  });
  CHECK_THAT(check, thread.ok());
  if (!thread.ok()) return;
  thread.value().join();
  CHECK_THAT(check, kernel_heeds_slices() ? seen_ns == kAskedNs : seen_ns == 0 || seen_ns == kAskedNs);
}

void other_threads_keep_theirs(Check& check) {
  const std::uint64_t before_ns = slice_ns();
  auto thread = Thread::start([] { ask_for_short_slice(); });
  CHECK_THAT(check, thread.ok());
  if (!thread.ok()) return;
  thread.value().join();
  CHECK_THAT(check, slice_ns() == before_ns);
}

void batch_thread_is_left_alone(Check& check) {
  int policy = -1;
  auto thread = Thread::start([&policy] {
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_BATCH, &none);
    ask_for_short_slice();
    policy = ::sched_getscheduler(0);
  });
  CHECK_THAT(check, thread.ok());
  if (!thread.ok()) return;
  thread.value().join();
  CHECK_THAT(check, policy == SCHED_BATCH);
}

constexpr test::Case kCases[] = {
    {"a thread that asks for a short slice has it, where the kernel heeds it", thread_that_asks_has_the_slice},
    {"other threads keep theirs", other_threads_keep_theirs},
    {"a thread of another policy is left alone", batch_thread_is_left_alone},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
