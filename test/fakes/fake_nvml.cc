// A fake libnvidia-ml: the symbols that the project uses, playing the script described in nvml_scenario.h.
// FAKE_OLD_DRIVER: the symbols of a driver before 450.66, unsuffixed only. FAKE_R535: a driver of 535.43 to 535.86,
// whose _v3 process lists have 32-byte entries and which lacks what came later.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "gpu/nvml_abi.h"
#include "nvml_call.h"

#define FAKE_API extern "C" __attribute__((visibility("default"))) int

namespace {

namespace nvml = mpsbench::nvml;
using fake_nvml::Asked;
using fake_nvml::enter;
using fake_nvml::Gpu;
using fake_nvml::handle_of;
using fake_nvml::Process;

#if defined(FAKE_R535)
constexpr std::size_t kThirdFormStride = 32;
#else
constexpr std::size_t kThirdFormStride = 24;
#endif
constexpr std::uint32_t kMigSlots = 7;

std::atomic<int> starts{0};

Asked ask(const char* symbol, void* device) { return enter(symbol, device, true, starts > 0); }
Asked ask(const char* symbol) { return enter(symbol, nullptr, false, starts > 0); }

template <class T, class Pick>
int give(const char* symbol, void* device, T* out, Pick pick) {
  const Asked asked = ask(symbol, device);
  if (asked.code == nvml::kSuccess) *out = pick(asked);
  return asked.code;
}

int give_text(int code, const std::string& text, char* out, unsigned length) {
  if (code != nvml::kSuccess) return code;
  if (text.size() >= length) return nvml::kInsufficientSize;
  std::memcpy(out, text.c_str(), text.size() + 1);
  return nvml::kSuccess;
}

int start(const char* symbol) {
  const Asked asked = enter(symbol, nullptr, false, true);
  if (asked.code == nvml::kSuccess) ++starts;
  return asked.code;
}

int count_devices(const char* symbol, unsigned* count) {
  const Asked asked = ask(symbol);
  if (asked.code == nvml::kSuccess) *count = static_cast<unsigned>(asked.scenario->gpus.size());
  return asked.code;
}

int give_handle(const char* symbol, unsigned index, void** out) {
  return give(symbol, handle_of(index, 0), out, [index](const Asked&) { return handle_of(index, 0); });
}

// How often a list has answered "too small" because of `grow`.
int times_grown(const char* symbol, int most) {
  static std::mutex mutex;
  static auto& grown = *new std::map<std::string, int>();
  const std::lock_guard lock(mutex);
  return grown[symbol] < most ? ++grown[symbol] : 0;
}

void write_entry(unsigned char* at, const Process& process, std::size_t stride) {
  std::memcpy(at, &process.pid, sizeof process.pid);
  std::memcpy(at + 8, &process.used_bytes, sizeof process.used_bytes);
  if (stride >= 24) {
    std::memcpy(at + 16, &process.gpu_instance, sizeof process.gpu_instance);
    std::memcpy(at + 20, &process.compute_instance, sizeof process.compute_instance);
  }
  if (stride >= 32) std::memset(at + 24, 0, 8);
}

int list_processes(const char* symbol, char letter, std::size_t stride, void* device, unsigned* count, void* infos) {
  const Asked asked = ask(symbol, device);
  if (const auto found = asked.scenario->counts.find(symbol); found != asked.scenario->counts.end()) {
    *count = found->second;
    return asked.code;
  }
  if (asked.code != nvml::kSuccess) return asked.code;
  if (const auto found = asked.scenario->strides.find(symbol); found != asked.scenario->strides.end()) {
    stride = found->second;
  }
  std::vector<Process> listed;
  for (const Process& process : fake_nvml::present_processes(*asked.gpu)) {
    const bool here = asked.instance == nullptr || asked.instance->gpu_instance == process.gpu_instance;
    if (!here || process.lists.find(letter) == std::string::npos) continue;
    listed.push_back(process);
    if (asked.scenario->twice) listed.push_back(process);
  }
  const auto grow = asked.scenario->grow.find(symbol);
  const bool too_small = grow != asked.scenario->grow.end() && times_grown(symbol, grow->second) > 0;
  if (too_small || *count < listed.size()) {
    *count = too_small ? *count + 1 : static_cast<unsigned>(listed.size());
    return nvml::kInsufficientSize;
  }
  *count = static_cast<unsigned>(listed.size());
  auto* at = static_cast<unsigned char*>(infos);
  for (const Process& process : listed) {
    write_entry(at, process, stride);
    at += stride;
  }
  return nvml::kSuccess;
}

struct Figures {
  std::uint64_t total, reserved, used;
};

Figures figures_of(const Asked& asked) {
  if (asked.instance != nullptr) return {asked.instance->total_bytes, 0, asked.instance->used_bytes};
  return {asked.gpu->total_bytes, asked.gpu->reserved_bytes, fake_nvml::present_used_bytes(*asked.gpu)};
}

int give_clock(const char* symbol, void* device, unsigned domain, unsigned* out, bool highest) {
  return give(symbol, device, out, [&](const Asked& asked) {
    if (domain == nvml::kClockMemory) return highest ? 2619U : asked.gpu->memory_mhz;
    if (domain == nvml::kClockSm) return highest ? 1980U : asked.gpu->sm_mhz;
    return highest ? 1980U : asked.gpu->graphics_mhz;
  });
}

// The forms before the third have a shorter struct, of which the fake fills the bus id.
int give_short_pci(const char* symbol, void* device, void* out) {
  const Asked asked = ask(symbol, device);
  if (asked.code != nvml::kSuccess) return asked.code;
  std::memset(out, 0, 52);
  std::snprintf(static_cast<char*>(out), 16, "%s", asked.gpu->pci.substr(4).c_str());
  return nvml::kSuccess;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the names are NVML's.
FAKE_API nvmlInit() { return start("nvmlInit"); }
FAKE_API nvmlShutdown() {
  const Asked asked = ask("nvmlShutdown");
  if (asked.code == nvml::kSuccess) --starts;
  return asked.code;
}
FAKE_API nvmlSystemGetDriverVersion(char* out, unsigned length) {
  const Asked asked = ask("nvmlSystemGetDriverVersion");
  return give_text(asked.code, asked.scenario->driver, out, length);
}
FAKE_API nvmlSystemGetNVMLVersion(char* out, unsigned length) {
  const Asked asked = ask("nvmlSystemGetNVMLVersion");
  return give_text(asked.code, asked.scenario->nvml, out, length);
}
FAKE_API nvmlSystemGetCudaDriverVersion(int* out) {
  const Asked asked = ask("nvmlSystemGetCudaDriverVersion");
  *out = asked.scenario->cuda;
  return asked.code;
}
FAKE_API nvmlSystemGetProcessName(unsigned pid, char* out, unsigned length) {
  const Asked asked = ask("nvmlSystemGetProcessName");
  if (asked.code != nvml::kSuccess) return asked.code;
  const auto is_named = [pid](const Process& process) { return process.pid == pid && process.name.has_value(); };
  for (const Gpu& gpu : asked.scenario->gpus) {
    const auto scripted = std::find_if(gpu.processes.begin(), gpu.processes.end(), is_named);
    if (scripted != gpu.processes.end()) return give_text(nvml::kSuccess, *scripted->name, out, length);
    if (gpu.residents_directory.empty()) continue;
    const std::vector<Process> present = fake_nvml::present_processes(gpu);
    const auto resident = std::find_if(present.begin(), present.end(), is_named);
    if (resident != present.end()) return give_text(nvml::kSuccess, *resident->name, out, length);
  }
  return nvml::kNotFound;
}
FAKE_API nvmlDeviceGetCount(unsigned* count) { return count_devices("nvmlDeviceGetCount", count); }
FAKE_API nvmlDeviceGetHandleByIndex(unsigned index, void** out) {
  return give_handle("nvmlDeviceGetHandleByIndex", index, out);
}
FAKE_API nvmlDeviceGetName(void* device, char* out, unsigned length) {
  const Asked asked = ask("nvmlDeviceGetName", device);
  return give_text(asked.code, asked.gpu == nullptr ? "" : asked.gpu->name, out, length);
}
FAKE_API nvmlDeviceGetUUID(void* device, char* out, unsigned length) {
  const Asked asked = ask("nvmlDeviceGetUUID", device);
  if (asked.code != nvml::kSuccess) return asked.code;
  return give_text(asked.code, asked.instance != nullptr ? asked.instance->uuid : asked.gpu->uuid, out, length);
}
FAKE_API nvmlDeviceGetPciInfo(void* device, void* out) { return give_short_pci("nvmlDeviceGetPciInfo", device, out); }
FAKE_API nvmlDeviceGetCudaComputeCapability(void* device, int* major, int* minor) {
  const Asked asked = ask("nvmlDeviceGetCudaComputeCapability", device);
  if (asked.code != nvml::kSuccess) return asked.code;
  *major = asked.gpu->capability_major;
  *minor = asked.gpu->capability_minor;
  return nvml::kSuccess;
}
FAKE_API nvmlDeviceGetVirtualizationMode(void* device, unsigned* out) {
  return give("nvmlDeviceGetVirtualizationMode", device, out,
              [](const Asked& asked) { return asked.gpu->virtualization; });
}
FAKE_API nvmlDeviceGetComputeMode(void* device, unsigned* out) {
  return give("nvmlDeviceGetComputeMode", device, out, [](const Asked& asked) { return asked.gpu->mode; });
}
FAKE_API nvmlDeviceGetEnforcedPowerLimit(void* device, unsigned* out) {
  return give("nvmlDeviceGetEnforcedPowerLimit", device, out, [](const Asked&) { return 700000U; });
}
FAKE_API nvmlDeviceGetMaxClockInfo(void* device, unsigned domain, unsigned* out) {
  return give_clock("nvmlDeviceGetMaxClockInfo", device, domain, out, true);
}
FAKE_API nvmlDeviceGetMemoryInfo(void* device, nvml::MemoryV1* out) {
  return give("nvmlDeviceGetMemoryInfo", device, out, [](const Asked& asked) {
    const Figures figures = figures_of(asked);
    const std::uint64_t used = figures.used + figures.reserved;
    return nvml::MemoryV1{figures.total, figures.total - used, used};
  });
}
FAKE_API nvmlDeviceGetUtilizationRates(void* device, nvml::Utilization* out) {
  return give("nvmlDeviceGetUtilizationRates", device, out,
              [](const Asked& asked) { return nvml::Utilization{asked.gpu->gpu_percent, asked.gpu->memory_percent}; });
}
FAKE_API nvmlDeviceGetClockInfo(void* device, unsigned domain, unsigned* out) {
  return give_clock("nvmlDeviceGetClockInfo", device, domain, out, false);
}
FAKE_API nvmlDeviceGetCurrentClocksThrottleReasons(void* device, std::uint64_t* out) {
  return give("nvmlDeviceGetCurrentClocksThrottleReasons", device, out,
              [](const Asked& asked) { return asked.gpu->throttle_mask; });
}
FAKE_API nvmlDeviceGetPowerUsage(void* device, unsigned* out) {
  return give("nvmlDeviceGetPowerUsage", device, out, [](const Asked& asked) { return asked.gpu->power_milliwatts; });
}
FAKE_API nvmlDeviceGetTotalEccErrors(void* device, unsigned kind, unsigned, std::uint64_t* out) {
  return give("nvmlDeviceGetTotalEccErrors", device, out, [kind](const Asked& asked) {
    return kind == nvml::kEccCorrected ? asked.gpu->ecc_corrected : asked.gpu->ecc_uncorrected;
  });
}
FAKE_API nvmlDeviceGetTemperature(void* device, unsigned, unsigned* out) {
  return give("nvmlDeviceGetTemperature", device, out,
              [](const Asked& asked) { return static_cast<unsigned>(asked.gpu->temperature_celsius); });
}
FAKE_API nvmlDeviceGetComputeRunningProcesses(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetComputeRunningProcesses", 'c', 16, device, count, infos);
}
FAKE_API nvmlDeviceGetGraphicsRunningProcesses(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetGraphicsRunningProcesses", 'g', 16, device, count, infos);
}

#if !defined(FAKE_OLD_DRIVER)
FAKE_API nvmlInit_v2() { return start("nvmlInit_v2"); }
FAKE_API nvmlSystemGetCudaDriverVersion_v2(int* out) {
  const Asked asked = ask("nvmlSystemGetCudaDriverVersion_v2");
  *out = asked.scenario->cuda;
  return asked.code;
}
FAKE_API nvmlDeviceGetCount_v2(unsigned* count) { return count_devices("nvmlDeviceGetCount_v2", count); }
FAKE_API nvmlDeviceGetHandleByIndex_v2(unsigned index, void** out) {
  return give_handle("nvmlDeviceGetHandleByIndex_v2", index, out);
}
FAKE_API nvmlDeviceGetPciInfo_v2(void* device, void* out) {
  return give_short_pci("nvmlDeviceGetPciInfo_v2", device, out);
}
FAKE_API nvmlDeviceGetPciInfo_v3(void* device, nvml::PciInfo* out) {
  return give("nvmlDeviceGetPciInfo_v3", device, out, [](const Asked& asked) {
    nvml::PciInfo info{};
    std::snprintf(info.bus_id_legacy, sizeof info.bus_id_legacy, "%s", asked.gpu->pci.substr(4).c_str());
    std::snprintf(info.bus_id, sizeof info.bus_id, "%s", asked.gpu->pci.c_str());
    return info;
  });
}
FAKE_API nvmlDeviceGetArchitecture(void* device, unsigned* out) {
  return give("nvmlDeviceGetArchitecture", device, out, [](const Asked& asked) { return asked.gpu->architecture; });
}
FAKE_API nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending) {
  const Asked asked = ask("nvmlDeviceGetMigMode", device);
  if (asked.code != nvml::kSuccess) return asked.code;
  *current = *pending = asked.gpu->mig ? 1 : 0;
  return nvml::kSuccess;
}
FAKE_API nvmlDeviceGetMaxMigDeviceCount(void* device, unsigned* out) {
  return give("nvmlDeviceGetMaxMigDeviceCount", device, out, [](const Asked&) { return kMigSlots; });
}
FAKE_API nvmlDeviceGetMigDeviceHandleByIndex(void* device, unsigned slot, void** out) {
  const Asked asked = ask("nvmlDeviceGetMigDeviceHandleByIndex", device);
  if (asked.code != nvml::kSuccess) return asked.code;
  const auto& instances = asked.gpu->instances;
  const bool taken =
      std::any_of(instances.begin(), instances.end(), [slot](const auto& one) { return one.slot == slot; });
  if (!taken) return nvml::kNotFound;
  *out = handle_of(static_cast<std::size_t>(asked.gpu - asked.scenario->gpus.data()), slot + 1);
  return nvml::kSuccess;
}
FAKE_API nvmlDeviceGetGpuInstanceId(void* device, unsigned* out) {
  return give("nvmlDeviceGetGpuInstanceId", device, out,
              [](const Asked& asked) { return asked.instance->gpu_instance; });
}
FAKE_API nvmlDeviceGetComputeInstanceId(void* device, unsigned* out) {
  return give("nvmlDeviceGetComputeInstanceId", device, out,
              [](const Asked& asked) { return asked.instance->compute_instance; });
}
FAKE_API nvmlDeviceGetMemoryInfo_v2(void* device, nvml::MemoryV2* out) {
  if (out->version != nvml::version_word<nvml::MemoryV2>(2)) return nvml::kArgumentVersionMismatch;
  return give("nvmlDeviceGetMemoryInfo_v2", device, out, [out](const Asked& asked) {
    const Figures figures = figures_of(asked);
    constexpr std::uint64_t kNa = nvml::kValueNotAvailable;
    if (asked.gpu->memory_na) return nvml::MemoryV2{out->version, kNa, kNa, kNa, kNa};
    const std::uint64_t used = figures.used + (asked.gpu->used_holds_reserve ? figures.reserved : 0);
    return nvml::MemoryV2{out->version, figures.total, figures.reserved,
                          figures.total - figures.reserved - figures.used, used};
  });
}
FAKE_API nvmlDeviceGetTotalEnergyConsumption(void* device, std::uint64_t* out) {
  return give("nvmlDeviceGetTotalEnergyConsumption", device, out,
              [](const Asked& asked) { return asked.gpu->energy_millijoules; });
}
FAKE_API nvmlDeviceGetComputeRunningProcesses_v2(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetComputeRunningProcesses_v2", 'c', 24, device, count, infos);
}
FAKE_API nvmlDeviceGetGraphicsRunningProcesses_v2(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetGraphicsRunningProcesses_v2", 'g', 24, device, count, infos);
}
FAKE_API nvmlDeviceGetMPSComputeRunningProcesses_v2(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetMPSComputeRunningProcesses_v2", 'm', 24, device, count, infos);
}
FAKE_API nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetComputeRunningProcesses_v3", 'c', kThirdFormStride, device, count, infos);
}
FAKE_API nvmlDeviceGetGraphicsRunningProcesses_v3(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetGraphicsRunningProcesses_v3", 'g', kThirdFormStride, device, count, infos);
}
FAKE_API nvmlDeviceGetMPSComputeRunningProcesses_v3(void* device, unsigned* count, void* infos) {
  return list_processes("nvmlDeviceGetMPSComputeRunningProcesses_v3", 'm', kThirdFormStride, device, count, infos);
}
#endif

#if !defined(FAKE_OLD_DRIVER) && !defined(FAKE_R535)
FAKE_API nvmlDeviceGetCurrentClocksEventReasons(void* device, std::uint64_t* out) {
  return give("nvmlDeviceGetCurrentClocksEventReasons", device, out,
              [](const Asked& asked) { return asked.gpu->throttle_mask; });
}
FAKE_API nvmlGpmQueryDeviceSupport(void* device, nvml::GpmSupport* out) {
  if (out->version != nvml::kGpmSupportVersion) return nvml::kArgumentVersionMismatch;
  return give("nvmlGpmQueryDeviceSupport", device, out, [out](const Asked& asked) {
    return nvml::GpmSupport{out->version, asked.gpu->sm_activity_percent < 0 ? 0U : 1U};
  });
}
// A sample is the figure of the moment at which it was taken; windows have the mean of their two ends.
FAKE_API nvmlGpmSampleAlloc(void** out) {
  const Asked asked = ask("nvmlGpmSampleAlloc");
  if (asked.code == nvml::kSuccess) *out = new double(0);
  return asked.code;
}
FAKE_API nvmlGpmSampleFree(void* sample) {
  const Asked asked = ask("nvmlGpmSampleFree");
  delete static_cast<double*>(sample);
  return asked.code;
}
FAKE_API nvmlGpmSampleGet(void* device, void* sample) {
  return give("nvmlGpmSampleGet", device, static_cast<double*>(sample),
              [](const Asked& asked) { return asked.gpu->sm_activity_percent; });
}
FAKE_API nvmlGpmMetricsGet(nvml::GpmMetricsGet* out) {
  if (out->version != nvml::kGpmMetricsVersion) return nvml::kArgumentVersionMismatch;
  const Asked asked = ask("nvmlGpmMetricsGet");
  if (asked.code != nvml::kSuccess) return asked.code;
  for (unsigned index = 0; index < out->count; ++index) {
    nvml::GpmMetric& metric = out->metrics[index];
    metric.code = metric.id == nvml::kGpmSmUtilization ? nvml::kSuccess : nvml::kNotSupported;
    metric.value = (*static_cast<double*>(out->first) + *static_cast<double*>(out->last)) / 2;
  }
  return nvml::kSuccess;
}
FAKE_API nvmlDeviceGetTemperatureV(void* device, nvml::TemperatureV1* out) {
  if (out->version != nvml::version_word<nvml::TemperatureV1>(1)) return nvml::kArgumentVersionMismatch;
  return give("nvmlDeviceGetTemperatureV", device, out, [out](const Asked& asked) {
    return nvml::TemperatureV1{out->version, out->sensor, asked.gpu->temperature_celsius};
  });
}
#endif
// NOLINTEND(readability-identifier-naming)
