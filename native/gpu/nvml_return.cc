#include "gpu/nvml_return.h"

#include <algorithm>
#include <array>
#include <string>

namespace mpsbench {
namespace {

constexpr const char* kCallFailed = "NVML_CALL_FAILED";
constexpr const char* kAskDriver = "run nvidia-smi to see whether the driver works";

struct Meaning {
  nvml::Return code;
  const char* name;
  Reason reason;
  const char* error_code;
  const char* advice;
};

// DEPRECATED, FUNCTION_NOT_FOUND and ARGUMENT_VERSION_MISMATCH say that the driver lacks this form of the call, which
// is "not supported": the symbol itself was there. NOT_FOUND is how NVML says that it has no samples.
constexpr std::array kMeanings = {
    Meaning{nvml::kUninitialized, "UNINITIALIZED", Reason::kError, kCallFailed, kAskDriver},
    Meaning{nvml::kInvalidArgument, "INVALID_ARGUMENT", Reason::kError, kCallFailed, kAskDriver},
    Meaning{nvml::kNotSupported, "NOT_SUPPORTED", Reason::kNotSupported, kCallFailed, kAskDriver},
    Meaning{nvml::kNoPermission, "NO_PERMISSION", Reason::kNoPermission, "NVML_NO_PERMISSION",
            "give this user access to /dev/nvidiactl and /dev/nvidia0, or run as one who has it"},
    Meaning{nvml::kNotFound, "NOT_FOUND", Reason::kNoData, kCallFailed, kAskDriver},
    Meaning{nvml::kInsufficientSize, "INSUFFICIENT_SIZE", Reason::kError, kCallFailed, kAskDriver},
    Meaning{nvml::kDriverNotLoaded, "DRIVER_NOT_LOADED", Reason::kError, "NVML_DRIVER_NOT_LOADED",
            "load the kernel module (modprobe nvidia), or in a container pass the GPU in (--gpus all)"},
    Meaning{nvml::kTimeout, "TIMEOUT", Reason::kTimeout, "NVML_TIMEOUT", kAskDriver},
    Meaning{nvml::kLibraryNotFound, "LIBRARY_NOT_FOUND", Reason::kError, kCallFailed,
            "reinstall the driver: a library that NVML needs is missing"},
    Meaning{nvml::kFunctionNotFound, "FUNCTION_NOT_FOUND", Reason::kNotSupported, kCallFailed, kAskDriver},
    Meaning{nvml::kGpuIsLost, "GPU_IS_LOST", Reason::kLost, kCallFailed,
            "a GPU fell off the bus: see dmesg for Xid errors, then reset it or reboot"},
    Meaning{nvml::kResetRequired, "RESET_REQUIRED", Reason::kLost, kCallFailed,
            "reset the GPU (nvidia-smi -r) or reboot"},
    Meaning{nvml::kOperatingSystem, "OPERATING_SYSTEM", Reason::kError, kCallFailed, kAskDriver},
    Meaning{nvml::kLibRmVersionMismatch, "LIB_RM_VERSION_MISMATCH", Reason::kError, "NVML_VERSION_MISMATCH",
            "the kernel module and the library are of different driver versions: reboot, or reload the module"},
    Meaning{nvml::kInUse, "IN_USE", Reason::kError, kCallFailed, kAskDriver},
    Meaning{nvml::kMemory, "MEMORY", Reason::kError, kCallFailed, "free host memory"},
    Meaning{nvml::kNoData, "NO_DATA", Reason::kNoData, kCallFailed, kAskDriver},
    Meaning{nvml::kArgumentVersionMismatch, "ARGUMENT_VERSION_MISMATCH", Reason::kNotSupported, kCallFailed,
            kAskDriver},
    Meaning{nvml::kDeprecated, "DEPRECATED", Reason::kNotSupported, kCallFailed, kAskDriver},
    Meaning{nvml::kNotReady, "NOT_READY", Reason::kNoData, kCallFailed, "try again in a moment"},
    Meaning{nvml::kGpuNotFound, "GPU_NOT_FOUND", Reason::kLost, kCallFailed, kAskDriver},
    Meaning{nvml::kInvalidState, "INVALID_STATE", Reason::kError, kCallFailed, kAskDriver},
};

// The one place where a return code gets its meaning.
const Meaning& meaning_of(nvml::Return code) {
  static constexpr Meaning kOther{nvml::kUnknown, "UNKNOWN", Reason::kError, kCallFailed, kAskDriver};
  const auto* found =
      std::find_if(kMeanings.begin(), kMeanings.end(), [code](const Meaning& meaning) { return meaning.code == code; });
  return found == kMeanings.end() ? kOther : *found;
}

}  // namespace

const char* name_of(Reason reason) {
  switch (reason) {
    case Reason::kSymbolMissing:
      return "symbol-missing";
    case Reason::kNotSupported:
      return "not-supported";
    case Reason::kNoPermission:
      return "no-permission";
    case Reason::kNoData:
      return "no-data";
    case Reason::kLost:
      return "lost";
    case Reason::kTimeout:
      return "timeout";
    case Reason::kNotAsked:
      return "not-asked";
    case Reason::kError:
      break;
  }
  return "error";
}

Unavailable unavailable(nvml::Return code, const char* symbol) { return {meaning_of(code).reason, symbol, code}; }

Error open_error(nvml::Return code, const char* symbol, const std::string& path) {
  const Meaning& meaning = meaning_of(code);
  return {meaning.error_code,
          "NVML could not be started: " + std::string(symbol) + " of " + path + " answered " + std::to_string(code) +
              " (" + meaning.name + "); " + meaning.advice,
          code};
}

Error hang_error(const std::string& what) {
  return {"NVML_TIMEOUT",
          what +
              ": a call into the NVIDIA driver does not return; see dmesg for Xid errors, then reset the GPU or "
              "reboot",
          0};
}

bool older_form_may_answer(nvml::Return code) { return meaning_of(code).reason == Reason::kNotSupported; }

}  // namespace mpsbench
