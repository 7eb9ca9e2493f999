// Owner of NVML: opens and starts it, reads one fact at a time, shuts it down. Thread: any (NVML locks by itself).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/shared_library.h"
#include "gpu/gpu_sample.h"
#include "gpu/nvml_abi.h"
#include "gpu/nvml_return.h"
#include "gpu/nvml_symbols.h"

namespace mpsbench {

// A device that NVML counts; without a handle where it would not give one (no permission, lost).
struct NvmlDevice {
  std::uint32_t index = 0;
  Reading<nvml::Device> handle;
  Reading<std::string> uuid;
};

class Nvml {
 public:
  // Opens libnvidia-ml.so.1, or the library at `path`, starts it and lists its devices. Calls into the driver, which
  // may hang. Errors: NVML_LIBRARY_MISSING, NVML_SYMBOL_MISSING, NVML_DRIVER_NOT_LOADED, NVML_VERSION_MISMATCH,
  // NVML_NO_PERMISSION, NVML_TIMEOUT, NVML_CALL_FAILED.
  static Result<std::shared_ptr<const Nvml>> open(const std::optional<std::string>& path);

  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  // Shuts NVML down and closes the library. Calls into the driver.
  ~Nvml();

  [[nodiscard]] const std::string& path() const { return library_.path(); }
  [[nodiscard]] const std::vector<NvmlDevice>& devices() const { return devices_; }

  // Asks the newest form of `call` first and an older one where the driver does not support it.
  // ask: (const Symbol&, T&) -> nvml::Return.
  template <class T, class Ask>
  [[nodiscard]] Reading<T> read(Call call, Ask ask) const {
    std::optional<Unavailable> why;
    for (const Symbol& symbol : symbols_.forms(call)) {
      T value{};
      const nvml::Return code = ask(symbol, value);
      if (code == nvml::kSuccess) return value;
      if (!why) why = unavailable(code, symbol.name);
      if (!older_form_may_answer(code)) break;
    }
    return why ? *why : Unavailable{Reason::kSymbolMissing, NvmlSymbols::newest_name(call), std::nullopt};
  }

  // A fact of the form (device, T*), of a device that may have no handle.
  template <class T>
  [[nodiscard]] Reading<T> read_of(Call call, const Reading<nvml::Device>& device) const {
    if (!device.known()) return device.why();
    return read<T>(call, [&device](const Symbol& symbol, T& value) {
      return symbol.as<nvml::Return (*)(nvml::Device, T*)>()(device.value(), &value);
    });
  }

  // A fact of the form (device, char*, length).
  [[nodiscard]] Reading<std::string> read_text_of(Call call, const Reading<nvml::Device>& device) const;

  // A fact of the form (char*, length).
  [[nodiscard]] Reading<std::string> read_text(Call call) const;

 private:
  explicit Nvml(SharedLibrary library);
  Status start();
  Status list_devices();

  SharedLibrary library_;
  NvmlSymbols symbols_;
  bool started_ = false;
  std::vector<NvmlDevice> devices_;
};

}  // namespace mpsbench
