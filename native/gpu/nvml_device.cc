#include "gpu/nvml_device.h"

#include <array>
#include <cstring>
#include <span>

namespace mpsbench {
namespace {

struct Memory {
  std::uint64_t total, used, free;
  std::optional<std::uint64_t> reserved;
  const char* source;
};

// Field comments and prose of nvml.h disagree on whether `used` of the second form holds the reserve, so the sum tells.
nvml::Return ask_memory(const Symbol& symbol, nvml::Device device, Memory& memory) {
  memory.source = symbol.name;
  if (symbol.form == 1) {
    nvml::MemoryV1 v1{};
    const nvml::Return code = symbol.as<nvml::Return (*)(nvml::Device, nvml::MemoryV1*)>()(device, &v1);
    memory = {v1.total, v1.used, v1.free, std::nullopt, symbol.name};
    return code;
  }
  nvml::MemoryV2 v2{};
  v2.version = nvml::version_word<nvml::MemoryV2>(2);
  const nvml::Return code = symbol.as<nvml::Return (*)(nvml::Device, nvml::MemoryV2*)>()(device, &v2);
  const bool used_holds_reserve = v2.used != nvml::kValueNotAvailable && v2.used + v2.free == v2.total;
  const bool take_out = used_holds_reserve && v2.reserved <= v2.used;
  memory = {v2.total, take_out ? v2.used - v2.reserved : v2.used, v2.free, v2.reserved, symbol.name};
  return code;
}

Reading<std::uint64_t> available(std::uint64_t figure, const char* source) {
  if (figure == nvml::kValueNotAvailable) return Unavailable{Reason::kNoData, source, nvml::kSuccess};
  return figure;
}

Reading<std::string> named(std::uint32_t number, std::span<const char* const> names, const char* source) {
  if (number >= names.size()) return Unavailable{Reason::kError, source, nvml::kSuccess};
  return std::string(names[number]);
}

}  // namespace

MemoryReading read_memory(const Nvml& gpu, const DeviceHandle& device) {
  const auto none = [](const Unavailable& why) { return MemoryReading{why, why, why, why, nullptr}; };
  if (!device.known()) return none(device.why());
  const auto memory = gpu.read<Memory>(Call::kMemory, [&device](const Symbol& symbol, Memory& value) {
    return ask_memory(symbol, device.value(), value);
  });
  if (!memory.known()) return none(memory.why());
  const Memory& read = memory.value();
  // The first form of the call does not know of a reserve.
  const Reading<std::uint64_t> reserved = read.reserved ? available(*read.reserved, read.source)
                                                        : Unavailable{Reason::kNotSupported, read.source, std::nullopt};
  return {available(read.total, read.source), available(read.used, read.source), available(read.free, read.source),
          reserved, read.source};
}

Reading<nvml::Utilization> read_utilization(const Nvml& gpu, const DeviceHandle& device) {
  return gpu.read_of<nvml::Utilization>(Call::kUtilization, device);
}

Reading<std::uint32_t> read_clock_mhz(const Nvml& gpu, Call call, const DeviceHandle& device, std::uint32_t domain) {
  if (!device.known()) return device.why();
  return gpu.read<std::uint32_t>(call, [&](const Symbol& symbol, std::uint32_t& value) {
    return symbol.as<nvml::Return (*)(nvml::Device, std::uint32_t, std::uint32_t*)>()(device.value(), domain, &value);
  });
}

Reading<std::int32_t> read_temperature_celsius(const Nvml& gpu, const DeviceHandle& device) {
  if (!device.known()) return device.why();
  return gpu.read<std::int32_t>(Call::kTemperature, [&device](const Symbol& symbol, std::int32_t& value) {
    if (symbol.form == 0) {
      nvml::TemperatureV1 versioned{nvml::version_word<nvml::TemperatureV1>(1), nvml::kTemperatureGpu, 0};
      const auto ask = symbol.as<nvml::Return (*)(nvml::Device, nvml::TemperatureV1*)>();
      const nvml::Return code = ask(device.value(), &versioned);
      value = versioned.temperature;
      return code;
    }
    std::uint32_t celsius = 0;
    const auto ask = symbol.as<nvml::Return (*)(nvml::Device, std::uint32_t, std::uint32_t*)>();
    const nvml::Return code = ask(device.value(), nvml::kTemperatureGpu, &celsius);
    value = static_cast<std::int32_t>(celsius);
    return code;
  });
}

Reading<std::uint64_t> read_ecc_errors(const Nvml& gpu, const DeviceHandle& device, std::uint32_t kind) {
  if (!device.known()) return device.why();
  return gpu.read<std::uint64_t>(Call::kEccErrors, [&](const Symbol& symbol, std::uint64_t& value) {
    unsigned long long errors = 0;
    const auto ask = symbol.as<nvml::Return (*)(nvml::Device, std::uint32_t, std::uint32_t, unsigned long long*)>();
    const nvml::Return code = ask(device.value(), kind, nvml::kEccSinceLoad, &errors);
    value = errors;
    return code;
  });
}

Reading<std::uint64_t> read_throttle_reason_mask(const Nvml& gpu, const DeviceHandle& device) {
  return gpu.read_of<std::uint64_t>(Call::kClockEventReasons, device);
}

Reading<std::string> read_pci_bus_id(const Nvml& gpu, const DeviceHandle& device) {
  if (!device.known()) return device.why();
  return gpu.read<std::string>(Call::kPciInfo, [&device](const Symbol& symbol, std::string& value) {
    // Room beyond the struct, since the older forms differ in length.
    struct {
      nvml::PciInfo info;
      char spare[64];
    } pci{};
    const nvml::Return code = symbol.as<nvml::Return (*)(nvml::Device, nvml::PciInfo*)>()(device.value(), &pci.info);
    const nvml::PciInfo& info = pci.info;
    value = symbol.form == 0 ? std::string(info.bus_id, strnlen(info.bus_id, sizeof info.bus_id))
                             : std::string(info.bus_id_legacy, strnlen(info.bus_id_legacy, sizeof info.bus_id_legacy));
    if (value.find(':') == 4) value.insert(0, "0000");
    return code;
  });
}

Reading<std::string> read_architecture(const Nvml& gpu, const DeviceHandle& device) {
  static constexpr std::array<const char*, 11> kNames = {nullptr,  nullptr,  "Kepler", "Maxwell", "Pascal",   "Volta",
                                                         "Turing", "Ampere", "Ada",    "Hopper",  "Blackwell"};
  return gpu.read_of<std::uint32_t>(Call::kArchitecture, device)
      .as<std::string>([](std::uint32_t number) -> Reading<std::string> {
        if (number == ~std::uint32_t{0})
          return Unavailable{Reason::kNoData, "nvmlDeviceGetArchitecture", nvml::kSuccess};
        if (number < kNames.size() && kNames[number] != nullptr) return std::string(kNames[number]);
        return "architecture " + std::to_string(number);
      });
}

Reading<std::string> read_compute_capability(const Nvml& gpu, const DeviceHandle& device) {
  if (!device.known()) return device.why();
  return gpu.read<std::string>(Call::kComputeCapability, [&device](const Symbol& symbol, std::string& value) {
    int major = 0;
    int minor = 0;
    const nvml::Return code = symbol.as<nvml::Return (*)(nvml::Device, int*, int*)>()(device.value(), &major, &minor);
    value = std::to_string(major) + "." + std::to_string(minor);
    return code;
  });
}

Reading<std::string> read_virtualization(const Nvml& gpu, const DeviceHandle& device) {
  static constexpr std::array<const char*, 5> kNames = {"none", "passthrough", "vgpu", "host-vgpu", "host-vsga"};
  return gpu.read_of<std::uint32_t>(Call::kVirtualizationMode, device).as<std::string>([](std::uint32_t number) {
    return named(number, kNames, "nvmlDeviceGetVirtualizationMode");
  });
}

Reading<std::string> read_compute_mode(const Nvml& gpu, const DeviceHandle& device) {
  static constexpr std::array<const char*, 4> kNames = {"default", "exclusive-thread", "prohibited",
                                                        "exclusive-process"};
  return gpu.read_of<std::uint32_t>(Call::kComputeMode, device).as<std::string>([](std::uint32_t number) {
    return named(number, kNames, "nvmlDeviceGetComputeMode");
  });
}

Reading<bool> read_mig_enabled(const Nvml& gpu, const DeviceHandle& device) {
  if (!device.known()) return device.why();
  return gpu.read<bool>(Call::kMigMode, [&device](const Symbol& symbol, bool& value) {
    std::uint32_t current = 0;
    std::uint32_t pending = 0;
    const auto ask = symbol.as<nvml::Return (*)(nvml::Device, std::uint32_t*, std::uint32_t*)>();
    const nvml::Return code = ask(device.value(), &current, &pending);
    value = current == 1;
    return code;
  });
}

Reading<std::string> read_cuda_driver_version(const Nvml& gpu) {
  return gpu.read<std::string>(Call::kCudaDriverVersion, [](const Symbol& symbol, std::string& value) {
    int version = 0;
    const nvml::Return code = symbol.as<nvml::Return (*)(int*)>()(&version);
    value = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
    return code;
  });
}

}  // namespace mpsbench
