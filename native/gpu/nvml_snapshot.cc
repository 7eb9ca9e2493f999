#include "gpu/nvml_snapshot.h"

#include <utility>

#include "base/clock.h"
#include "gpu/nvml_device.h"
#include "gpu/nvml_processes.h"

namespace mpsbench {
namespace {

struct MigSlots {
  std::vector<MigInstanceReading> instances;
  std::vector<DeviceHandle> handles;
  std::optional<Unavailable> failure;
};

DeviceHandle mig_handle(const Nvml& gpu, nvml::Device device, std::uint32_t slot) {
  return gpu.read<nvml::Device>(Call::kMigHandleByIndex, [&](const Symbol& symbol, nvml::Device& value) {
    return symbol.as<nvml::Return (*)(nvml::Device, std::uint32_t, nvml::Device*)>()(device, slot, &value);
  });
}

// Instances stand in any of the slots; an empty slot answers NOT_FOUND.
MigSlots read_mig(const Nvml& gpu, const DeviceHandle& device, const Reading<bool>& enabled) {
  MigSlots slots;
  if (!enabled.known() || !enabled.value()) return slots;
  const auto count = gpu.read_of<std::uint32_t>(Call::kMaxMigDeviceCount, device);
  if (!count.known()) slots.failure = count.why();
  for (std::uint32_t slot = 0; count.known() && slot < count.value(); ++slot) {
    const DeviceHandle handle = mig_handle(gpu, device.value(), slot);
    if (!handle.known()) {
      if (handle.why().native_code != nvml::kNotFound) slots.failure = handle.why();
      continue;
    }
    slots.instances.push_back({slot, gpu.read_text_of(Call::kUuid, handle),
                               gpu.read_of<std::uint32_t>(Call::kGpuInstanceId, handle),
                               gpu.read_of<std::uint32_t>(Call::kComputeInstanceId, handle), read_memory(gpu, handle)});
    slots.handles.push_back(handle);
  }
  return slots;
}

Reading<std::uint64_t> read_energy(const Nvml& gpu, const DeviceHandle& device, bool asked) {
  if (!asked) return Unavailable{Reason::kNotAsked, NvmlSymbols::newest_name(Call::kEnergy), std::nullopt};
  return gpu.read_of<std::uint64_t>(Call::kEnergy, device);
}

DeviceReading read_device(const Nvml& gpu, const NvmlDevice& device, bool with_energy) {
  const DeviceHandle& handle = device.handle;
  const auto utilization = read_utilization(gpu, handle);
  const auto mig_enabled = read_mig_enabled(gpu, handle);
  MigSlots mig = read_mig(gpu, handle, mig_enabled);
  return DeviceReading{
      .index = device.index,
      .uuid = device.uuid,
      .name = gpu.read_text_of(Call::kName, handle),
      .pci_bus_id = read_pci_bus_id(gpu, handle),
      .architecture = read_architecture(gpu, handle),
      .compute_capability = read_compute_capability(gpu, handle),
      .power_limit_milliwatts = gpu.read_of<std::uint32_t>(Call::kPowerLimit, handle),
      .max_sm_clock_mhz = read_clock_mhz(gpu, Call::kMaxClock, handle, nvml::kClockSm),
      .max_memory_clock_mhz = read_clock_mhz(gpu, Call::kMaxClock, handle, nvml::kClockMemory),
      .virtualization = read_virtualization(gpu, handle),
      .compute_mode = read_compute_mode(gpu, handle),
      .mig_enabled = mig_enabled,
      .mig_instances = std::move(mig.instances),
      .mig_instances_failure = mig.failure,
      .memory = read_memory(gpu, handle),
      .gpu_utilization_percent = utilization.as<std::uint32_t>([](const auto& read) { return read.gpu; }),
      .memory_utilization_percent = utilization.as<std::uint32_t>([](const auto& read) { return read.memory; }),
      .sm_clock_mhz = read_clock_mhz(gpu, Call::kClock, handle, nvml::kClockSm),
      .memory_clock_mhz = read_clock_mhz(gpu, Call::kClock, handle, nvml::kClockMemory),
      .graphics_clock_mhz = read_clock_mhz(gpu, Call::kClock, handle, nvml::kClockGraphics),
      .throttle_reason_mask = read_throttle_reason_mask(gpu, handle),
      .power_milliwatts = gpu.read_of<std::uint32_t>(Call::kPower, handle),
      .energy_millijoules = read_energy(gpu, handle, with_energy),
      .temperature_celsius = read_temperature_celsius(gpu, handle),
      .ecc_corrected_errors = read_ecc_errors(gpu, handle, nvml::kEccCorrected),
      .ecc_uncorrected_errors = read_ecc_errors(gpu, handle, nvml::kEccUncorrected),
      .processes = read_processes(gpu, handle, mig.handles),
  };
}

}  // namespace

GpuSnapshot read_snapshot(const Nvml& gpu, bool with_energy) {
  GpuSnapshot snapshot{.started_ns = now_ns(),
                       .driver_version = gpu.read_text(Call::kDriverVersion),
                       .nvml_version = gpu.read_text(Call::kNvmlVersion),
                       .cuda_driver_version = read_cuda_driver_version(gpu),
                       .nvml_path = gpu.path(),
                       .devices = {}};
  for (const NvmlDevice& device : gpu.devices()) {
    snapshot.devices.push_back(read_device(gpu, device, with_energy));
  }
  return snapshot;
}

}  // namespace mpsbench
