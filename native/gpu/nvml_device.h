// Typed facts of one device, each from one NVML call. Thread: any. Every function calls into the driver.
#pragma once

#include <cstdint>
#include <string>

#include "gpu/gpu_sample.h"
#include "gpu/nvml.h"

namespace mpsbench {

using DeviceHandle = Reading<nvml::Device>;

// Device memory. Where the second form of the call counts the driver's reserve as used, it is taken out again.
[[nodiscard]] MemoryReading read_memory(const Nvml& gpu, const DeviceHandle& device);

[[nodiscard]] Reading<nvml::Utilization> read_utilization(const Nvml& gpu, const DeviceHandle& device);

// MHz. call: Call::kClock (now) or Call::kMaxClock. domain: nvml::kClockSm and its kin.
[[nodiscard]] Reading<std::uint32_t> read_clock_mhz(const Nvml& gpu, Call call, const DeviceHandle& device,
                                                    std::uint32_t domain);

// Degrees Celsius of the GPU sensor.
[[nodiscard]] Reading<std::int32_t> read_temperature_celsius(const Nvml& gpu, const DeviceHandle& device);

// Errors of that kind since the driver was loaded. kind: nvml::kEccCorrected or nvml::kEccUncorrected.
[[nodiscard]] Reading<std::uint64_t> read_ecc_errors(const Nvml& gpu, const DeviceHandle& device, std::uint32_t kind);

// Bit mask of the reasons that hold the clocks down.
[[nodiscard]] Reading<std::uint64_t> read_throttle_reason_mask(const Nvml& gpu, const DeviceHandle& device);

// "00000000:00:06.0", with the short form of old drivers brought to this one.
[[nodiscard]] Reading<std::string> read_pci_bus_id(const Nvml& gpu, const DeviceHandle& device);

// "Hopper"; a number that this project does not know is given as "architecture 12".
[[nodiscard]] Reading<std::string> read_architecture(const Nvml& gpu, const DeviceHandle& device);

// "9.0".
[[nodiscard]] Reading<std::string> read_compute_capability(const Nvml& gpu, const DeviceHandle& device);

// As lib/records/gpu.ts spells them.
[[nodiscard]] Reading<std::string> read_virtualization(const Nvml& gpu, const DeviceHandle& device);
[[nodiscard]] Reading<std::string> read_compute_mode(const Nvml& gpu, const DeviceHandle& device);

[[nodiscard]] Reading<bool> read_mig_enabled(const Nvml& gpu, const DeviceHandle& device);

// "13.0".
[[nodiscard]] Reading<std::string> read_cuda_driver_version(const Nvml& gpu);

}  // namespace mpsbench
