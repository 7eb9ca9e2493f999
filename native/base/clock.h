// The only clock of the native code: CLOCK_MONOTONIC, the epoch of process.hrtime in Node.
#pragma once

#include <time.h>

#include <cstdint>

namespace mpsbench {

inline std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace mpsbench
