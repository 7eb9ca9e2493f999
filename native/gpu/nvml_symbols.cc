#include "gpu/nvml_symbols.h"

namespace mpsbench {
namespace {

struct Row {
  Call call;
  std::array<const char*, kMostForms> names;
};

// Newest first. Where a form has another ABI the reader of that call looks at Symbol::form.
constexpr std::array<Row, kCallCount> kTable = {{
    {Call::kInit, {"nvmlInit_v2", "nvmlInit"}},
    {Call::kShutdown, {"nvmlShutdown"}},
    {Call::kDriverVersion, {"nvmlSystemGetDriverVersion"}},
    {Call::kNvmlVersion, {"nvmlSystemGetNVMLVersion"}},
    {Call::kCudaDriverVersion, {"nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion"}},
    {Call::kProcessName, {"nvmlSystemGetProcessName"}},
    {Call::kCount, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"}},
    {Call::kHandleByIndex, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}},
    {Call::kName, {"nvmlDeviceGetName"}},
    {Call::kUuid, {"nvmlDeviceGetUUID"}},
    {Call::kPciInfo, {"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"}},
    {Call::kArchitecture, {"nvmlDeviceGetArchitecture"}},
    {Call::kComputeCapability, {"nvmlDeviceGetCudaComputeCapability"}},
    {Call::kVirtualizationMode, {"nvmlDeviceGetVirtualizationMode"}},
    {Call::kComputeMode, {"nvmlDeviceGetComputeMode"}},
    {Call::kPowerLimit, {"nvmlDeviceGetEnforcedPowerLimit"}},
    {Call::kMaxClock, {"nvmlDeviceGetMaxClockInfo"}},
    {Call::kMigMode, {"nvmlDeviceGetMigMode"}},
    {Call::kMaxMigDeviceCount, {"nvmlDeviceGetMaxMigDeviceCount"}},
    {Call::kMigHandleByIndex, {"nvmlDeviceGetMigDeviceHandleByIndex"}},
    {Call::kGpuInstanceId, {"nvmlDeviceGetGpuInstanceId"}},
    {Call::kComputeInstanceId, {"nvmlDeviceGetComputeInstanceId"}},
    {Call::kMemory, {"nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMemoryInfo"}},
    {Call::kUtilization, {"nvmlDeviceGetUtilizationRates"}},
    {Call::kClock, {"nvmlDeviceGetClockInfo"}},
    {Call::kClockEventReasons, {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"}},
    {Call::kPower, {"nvmlDeviceGetPowerUsage"}},
    {Call::kEnergy, {"nvmlDeviceGetTotalEnergyConsumption"}},
    {Call::kEccErrors, {"nvmlDeviceGetTotalEccErrors"}},
    {Call::kTemperature, {"nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"}},
    {Call::kComputeProcesses,
     {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2",
      "nvmlDeviceGetComputeRunningProcesses"}},
    {Call::kGraphicsProcesses,
     {"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2",
      "nvmlDeviceGetGraphicsRunningProcesses"}},
    {Call::kMpsProcesses,
     {"nvmlDeviceGetMPSComputeRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v2",
      "nvmlDeviceGetMPSComputeRunningProcesses"}},
    {Call::kGpmSupport, {"nvmlGpmQueryDeviceSupport"}},
    {Call::kGpmSampleAlloc, {"nvmlGpmSampleAlloc"}},
    {Call::kGpmSampleFree, {"nvmlGpmSampleFree"}},
    {Call::kGpmSampleGet, {"nvmlGpmSampleGet"}},
    {Call::kGpmMetrics, {"nvmlGpmMetricsGet"}},
    {Call::kEventSetCreate, {"nvmlEventSetCreate"}},
    {Call::kRegisterEvents, {"nvmlDeviceRegisterEvents"}},
    {Call::kEventSetWait, {"nvmlEventSetWait_v2", "nvmlEventSetWait"}},
    {Call::kEventSetFree, {"nvmlEventSetFree"}},
}};

constexpr bool rows_stand_in_the_order_of_the_enum() {
  for (std::size_t index = 0; index < kCallCount; ++index) {
    if (kTable[index].call != static_cast<Call>(index)) return false;
  }
  return true;
}
static_assert(rows_stand_in_the_order_of_the_enum());

}  // namespace

NvmlSymbols::NvmlSymbols(const SharedLibrary& library) {
  for (std::size_t index = 0; index < kCallCount; ++index) {
    Found& found = found_[index];
    for (std::size_t form = 0; form < kMostForms && kTable[index].names[form] != nullptr; ++form) {
      const char* name = kTable[index].names[form];
      if (void* address = library.symbol<void*>(name); address != nullptr) {
        found.forms[found.count++] = Symbol{address, name, form};
      }
    }
  }
}

std::span<const Symbol> NvmlSymbols::forms(Call call) const {
  const Found& found = found_[static_cast<std::size_t>(call)];
  return {found.forms.data(), found.count};
}

const char* NvmlSymbols::newest_name(Call call) { return kTable[static_cast<std::size_t>(call)].names[0]; }

}  // namespace mpsbench
