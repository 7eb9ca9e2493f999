// The CUDA driver library, opened at run time. Thread: the one that opened it.
//
// ONLY for short-lived children and worker processes. initialise() calls cuInit, which attaches the process to whatever
// MPS daemon its environment points to and may start a server there; the tool's own process must never do that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/shared_library.h"
#include "gpu/cuda_abi.h"

namespace mpsbench::cuda {

// A failed call, as data.
struct CallFailure {
  int code = 0;
  std::string name;
  std::string call;
};

// Which GPU, and under which name to speak of it ("GPU-…", or "GPU 0" where the driver tells no UUID).
struct VisibleDevice {
  Device handle = 0;
  std::optional<std::string> uuid;
  std::string label;
};

// Either a value or why there is none.
struct AttributeReading {
  std::optional<int> value;
  Code result = kSuccess;
};

class Driver {
 public:
  // Opens libcuda at `path`, or by soname where it is absent, and looks every symbol up. Does not call cuInit.
  // Errors: CUDA_LIBRARY_MISSING, with the dynamic linker's words.
  static Result<Driver> open(const std::optional<std::string>& path);

  [[nodiscard]] const Entries& entries() const { return entries_; }

  // Calls an entry of the table; kSymbolMissing where this driver lacks it.
  template <class... Parameters, class... Arguments>
  [[nodiscard]] static Code call(Code (*entry)(Parameters...), Arguments... arguments) {
    return entry == nullptr ? kSymbolMissing : entry(arguments...);
  }

  // The driver's name of a code, or this tool's, or the bare number.
  [[nodiscard]] std::string error_name(Code code) const;
  [[nodiscard]] CallFailure failure(Code code, const char* call) const;
  // The one translation of a return code into an error: CUDA_CALL_FAILED, "<call> failed on <subject>: <name> (<code>);
  // <advice>".
  [[nodiscard]] Error error(const CallFailure& failure, const std::string& subject) const;

  // cuInit. Errors as CallFailure.
  [[nodiscard]] std::optional<CallFailure> initialise() const;
  // Every device that CUDA_VISIBLE_DEVICES leaves, in its order.
  [[nodiscard]] std::optional<CallFailure> list_devices(std::vector<VisibleDevice>& devices) const;
  [[nodiscard]] AttributeReading attribute(int attribute, Device device) const;

 private:
  explicit Driver(SharedLibrary library);

  SharedLibrary library_;
  Entries entries_;
};

// The device of that UUID ("GPU-…" or "MIG-…"; the prefix is not compared), or the first one where none is asked for.
// Errors: CUDA_CALL_FAILED that lists what is visible.
Result<VisibleDevice> choose_device(const std::vector<VisibleDevice>& devices, const std::optional<std::string>& uuid);

// "GPU-01234567-89ab-…".
std::string uuid_text(const Uuid& uuid);

}  // namespace mpsbench::cuda
