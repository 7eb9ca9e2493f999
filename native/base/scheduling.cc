#include "base/scheduling.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace mpsbench {
namespace {

// The first version of the kernel's struct sched_attr (48 bytes), which its C library does not declare.
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime_ns;
  std::uint64_t deadline_ns;
  std::uint64_t period_ns;
};

constexpr std::uint64_t kShortestSliceNs = 100'000;

bool read(SchedulingAttributes& attributes) {
  return ::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0;
}

}  // namespace

void ask_for_short_slice() {
  SchedulingAttributes attributes{};
  if (!read(attributes) || attributes.policy != SCHED_OTHER) return;
  attributes.runtime_ns = kShortestSliceNs;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

std::uint64_t slice_ns() {
  SchedulingAttributes attributes{};
  return read(attributes) ? attributes.runtime_ns : 0;
}

}  // namespace mpsbench
