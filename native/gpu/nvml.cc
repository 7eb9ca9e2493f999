#include "gpu/nvml.h"

#include <array>
#include <utility>

namespace mpsbench {
namespace {

constexpr const char* kSoname = "libnvidia-ml.so.1";

Error symbol_missing(Call call, const std::string& path) {
  return {"NVML_SYMBOL_MISSING",
          "NVML could not be started: " + path + " has no " + NvmlSymbols::newest_name(call) +
              "; it is no NVML library or one of a driver that is too old: install the NVIDIA driver, or name its "
              "libnvidia-ml.so.1",
          0};
}

Error library_missing(const Error& linker) {
  return {linker.code,
          "NVML could not be opened: " + linker.detail +
              "; install the NVIDIA driver, in a container pass the GPU in (--gpus all), or name its libnvidia-ml.so.1",
          0};
}

}  // namespace

Nvml::Nvml(SharedLibrary library) : library_(std::move(library)), symbols_(library_) {}

Nvml::~Nvml() {
  if (!started_) return;
  for (const Symbol& symbol : symbols_.forms(Call::kShutdown)) symbol.as<nvml::Return (*)()>()();
}

Result<std::shared_ptr<const Nvml>> Nvml::open(const std::optional<std::string>& path) {
  auto library = SharedLibrary::open({path.value_or(kSoname)}, "NVML_LIBRARY_MISSING");
  if (!library.ok()) return library_missing(library.error());
  // The constructor is private, hence not make_shared.
  const std::shared_ptr<Nvml> made(new Nvml(std::move(library.value())));
  if (const Status started = made->start(); !started.ok()) return started.error();
  if (const Status listed = made->list_devices(); !listed.ok()) return listed.error();
  return std::shared_ptr<const Nvml>(made);
}

Status Nvml::start() {
  for (const Call needed : {Call::kInit, Call::kCount, Call::kHandleByIndex}) {
    if (symbols_.forms(needed).empty()) return symbol_missing(needed, path());
  }
  const Symbol& init = symbols_.forms(Call::kInit).front();
  if (const nvml::Return code = init.as<nvml::Return (*)()>()(); code != nvml::kSuccess) {
    return open_error(code, init.name, path());
  }
  started_ = true;
  return Ok{};
}

Status Nvml::list_devices() {
  const auto count = read<std::uint32_t>(Call::kCount, [](const Symbol& symbol, std::uint32_t& value) {
    return symbol.as<nvml::Return (*)(std::uint32_t*)>()(&value);
  });
  if (!count.known()) {
    return open_error(count.why().native_code.value_or(nvml::kUnknown), count.why().source, path());
  }
  for (std::uint32_t index = 0; index < count.value(); ++index) {
    const auto handle = read<nvml::Device>(Call::kHandleByIndex, [index](const Symbol& symbol, nvml::Device& value) {
      return symbol.as<nvml::Return (*)(std::uint32_t, nvml::Device*)>()(index, &value);
    });
    auto uuid = read_text_of(Call::kUuid, handle);
    devices_.push_back({index, handle, std::move(uuid)});
  }
  return Ok{};
}

Reading<std::string> Nvml::read_text_of(Call call, const Reading<nvml::Device>& device) const {
  if (!device.known()) return device.why();
  return read<std::string>(call, [&device](const Symbol& symbol, std::string& value) {
    std::array<char, nvml::kTextBytes> text{};
    const auto ask = symbol.as<nvml::Return (*)(nvml::Device, char*, std::uint32_t)>();
    const nvml::Return code = ask(device.value(), text.data(), static_cast<std::uint32_t>(text.size() - 1));
    value = text.data();
    return code;
  });
}

Reading<std::string> Nvml::read_text(Call call) const {
  return read<std::string>(call, [](const Symbol& symbol, std::string& value) {
    std::array<char, nvml::kTextBytes> text{};
    const auto ask = symbol.as<nvml::Return (*)(char*, std::uint32_t)>();
    const nvml::Return code = ask(text.data(), static_cast<std::uint32_t>(text.size() - 1));
    value = text.data();
    return code;
  });
}

}  // namespace mpsbench
