// The NVML calls in use and the names that each goes by: the one table of version fallbacks. Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/shared_library.h"

namespace mpsbench {

enum class Call : std::uint8_t {
  kInit,
  kShutdown,
  kDriverVersion,
  kNvmlVersion,
  kCudaDriverVersion,
  kProcessName,
  kCount,
  kHandleByIndex,
  kName,
  kUuid,
  kPciInfo,
  kArchitecture,
  kComputeCapability,
  kVirtualizationMode,
  kComputeMode,
  kPowerLimit,
  kMaxClock,
  kMigMode,
  kMaxMigDeviceCount,
  kMigHandleByIndex,
  kGpuInstanceId,
  kComputeInstanceId,
  kMemory,
  kUtilization,
  kClock,
  kClockEventReasons,
  kPower,
  kEnergy,
  kEccErrors,
  kTemperature,
  kComputeProcesses,
  kGraphicsProcesses,
  kMpsProcesses,
  kGpmSupport,
  kGpmSampleAlloc,
  kGpmSampleFree,
  kGpmSampleGet,
  kGpmMetrics,
  kEventSetCreate,
  kRegisterEvents,
  kEventSetWait,
  kEventSetFree,
};
constexpr std::size_t kCallCount = static_cast<std::size_t>(Call::kEventSetFree) + 1;
constexpr std::size_t kMostForms = 3;

// One form of a call that the library has. form: its place in the table, 0 = newest; the ABI may differ by it.
struct Symbol {
  void* address = nullptr;
  const char* name = nullptr;
  std::size_t form = 0;

  template <class Function>
  [[nodiscard]] Function as() const {
    return reinterpret_cast<Function>(address);
  }
};

class NvmlSymbols {
 public:
  explicit NvmlSymbols(const SharedLibrary& library);

  // The forms that the library has, newest first; empty where it has none.
  [[nodiscard]] std::span<const Symbol> forms(Call call) const;

  // The name of the newest form, whether or not the library has it.
  [[nodiscard]] static const char* newest_name(Call call);

 private:
  struct Found {
    std::array<Symbol, kMostForms> forms{};
    std::size_t count = 0;
  };
  std::array<Found, kCallCount> found_{};
};

}  // namespace mpsbench
