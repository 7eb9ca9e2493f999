#include "gpu/cuda_errors.h"

#include <algorithm>
#include <array>

#include "gpu/cuda_abi.h"

namespace mpsbench::cuda {
namespace {

struct KnownError {
  int code;
  std::string_view name;
  std::string_view advice;
};

// 805 to 810 as seen on driver 580: 806 after the server was killed, 808 beyond 48 contexts on an H100, 810 after
// terminate_client.
constexpr std::array kKnownErrors = {
    KnownError{kSymbolMissing, "SYMBOL_MISSING", "the driver is too old for this call: update it"},
    KnownError{kInvalidValue, "CUDA_ERROR_INVALID_VALUE",
               "this is a fault of mpsbench or a driver that does not know the request"},
    KnownError{2, "CUDA_ERROR_OUT_OF_MEMORY",
               "the GPU's memory (or the MPS pinned memory limit) is used up: fewer workers, a smaller model or batch"},
    KnownError{3, "CUDA_ERROR_NOT_INITIALIZED", "the driver is shutting down or was never initialised"},
    KnownError{34, "CUDA_ERROR_STUB_LIBRARY", "this libcuda is the toolkit's stub: name the driver's own libcuda.so.1"},
    KnownError{46, "CUDA_ERROR_DEVICE_UNAVAILABLE",
               "the GPU is busy or in an exclusive compute mode held by another process: see nvidia-smi -q -d COMPUTE"},
    KnownError{kNoDevice, "CUDA_ERROR_NO_DEVICE", "no GPU is visible: check nvidia-smi and CUDA_VISIBLE_DEVICES"},
    KnownError{kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE",
               "the GPU is not among the visible ones: check CUDA_VISIBLE_DEVICES"},
    KnownError{218, "CUDA_ERROR_INVALID_PTX", "the driver could not compile the kernels for this GPU: report this"},
    KnownError{221, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND",
               "libnvidia-ptxjitcompiler.so.1 is missing: install it with the driver"},
    KnownError{222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the driver is too old for the kernels: update it"},
    KnownError{226, "CUDA_ERROR_CONTAINED", "a fault of another client was contained: start the worker again"},
    KnownError{500, "CUDA_ERROR_NOT_FOUND", "a kernel is not in the module: rebuild the addon"},
    KnownError{700, "CUDA_ERROR_ILLEGAL_ADDRESS", "the context is lost: start the worker again"},
    KnownError{719, "CUDA_ERROR_LAUNCH_FAILED",
               "the context is lost; under MPS the fault may be another client's: start the worker again"},
    KnownError{800, "CUDA_ERROR_NOT_PERMITTED",
               "not permitted; under MPS the client must have the user ID of the server"},
    KnownError{802, "CUDA_ERROR_SYSTEM_NOT_READY",
               "the system is not ready: on NVSwitch machines nvidia-fabricmanager must run"},
    KnownError{803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
               "kernel driver and libcuda differ in version: reboot or reload the driver"},
    KnownError{805, "CUDA_ERROR_MPS_CONNECTION_FAILED",
               "the MPS control daemon did not answer: check CUDA_MPS_PIPE_DIRECTORY, /dev/shm and the user ID"},
    KnownError{806, "CUDA_ERROR_MPS_RPC_FAILURE", "the MPS server is gone: start the worker again"},
    KnownError{807, "CUDA_ERROR_MPS_SERVER_NOT_READY",
               "the MPS server is starting or recovering from a fault: wait until every client of it has ended"},
    KnownError{808, "CUDA_ERROR_MPS_MAX_CLIENTS_REACHED",
               "the MPS client limit of this GPU is reached (it counts contexts): use fewer workers"},
    KnownError{809, "CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED",
               "the MPS connections of this GPU are used up: use fewer workers or lower CUDA_DEVICE_MAX_CONNECTIONS"},
    KnownError{810, "CUDA_ERROR_MPS_CLIENT_TERMINATED",
               "the MPS server ended this client (terminate_client): start the worker again"},
    KnownError{915, "CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION",
               "the MPS share does not fit this GPU: check CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"},
};

const KnownError* find(int code) {
  const auto* found = std::find_if(kKnownErrors.begin(), kKnownErrors.end(),
                                   [code](const KnownError& known) { return known.code == code; });
  return found == kKnownErrors.end() ? nullptr : found;
}

}  // namespace

std::string_view known_error_name(int code) {
  const KnownError* known = find(code);
  return known != nullptr ? known->name : std::string_view();
}

std::string_view error_advice(int code) {
  const KnownError* known = find(code);
  return known != nullptr ? known->advice : "see CUresult in the CUDA driver API manual";
}

}  // namespace mpsbench::cuda
