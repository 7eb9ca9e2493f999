// The few types, constants and signatures of the CUDA driver API that are in use, declared by hand: no toolkit is
// needed to build. Checked against cuda.h 12.x and 13.0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mpsbench::cuda {

using Code = int;
using Device = int;
using DevicePointer = std::uint64_t;
using Context = struct ContextOpaque*;
using Module = struct ModuleOpaque*;
using Function = struct FunctionOpaque*;
using Stream = struct StreamOpaque*;

struct Uuid {
  unsigned char bytes[16];
};
static_assert(sizeof(Uuid) == 16);

inline constexpr Code kSuccess = 0;
inline constexpr Code kInvalidValue = 1;
inline constexpr Code kNoDevice = 100;
inline constexpr Code kInvalidDevice = 101;
// Not of the driver: what a call to an absent symbol gives here. CUDA's own numbers are positive.
inline constexpr Code kSymbolMissing = -1;

inline constexpr int kAttributeMultiprocessorCount = 16;
// Since the headers of CUDA 12.3; an older driver answers CUDA_ERROR_INVALID_VALUE.
inline constexpr int kAttributeMpsEnabled = 133;

// The waiting thread sleeps instead of spinning: N workers on fewer cores would slow each other with no GPU cause.
inline constexpr unsigned kContextBlockingSync = 4;
inline constexpr unsigned kStreamNonBlocking = 1;

// Every entry point in use; nullptr where this driver lacks it.
struct Entries {
  Code (*init)(unsigned) = nullptr;
  Code (*get_error_name)(Code, const char**) = nullptr;
  Code (*device_get_count)(int*) = nullptr;
  Code (*device_get)(Device*, int) = nullptr;
  Code (*device_get_uuid)(Uuid*, Device) = nullptr;
  Code (*device_get_attribute)(int*, int, Device) = nullptr;
  Code (*primary_context_set_flags)(Device, unsigned) = nullptr;
  Code (*primary_context_retain)(Context*, Device) = nullptr;
  Code (*primary_context_release)(Device) = nullptr;
  Code (*context_set_current)(Context) = nullptr;
  Code (*module_load_data)(Module*, const void*) = nullptr;
  Code (*module_unload)(Module) = nullptr;
  Code (*module_get_function)(Function*, Module, const char*) = nullptr;
  Code (*memory_allocate)(DevicePointer*, std::size_t) = nullptr;
  Code (*memory_free)(DevicePointer) = nullptr;
  Code (*copy_to_device_async)(DevicePointer, const void*, std::size_t, Stream) = nullptr;
  Code (*copy_to_host)(void*, DevicePointer, std::size_t) = nullptr;
  Code (*stream_create)(Stream*, unsigned) = nullptr;
  Code (*stream_destroy)(Stream) = nullptr;
  Code (*stream_synchronize)(Stream) = nullptr;
  Code (*launch_kernel)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void**,
                        void**) = nullptr;
};

}  // namespace mpsbench::cuda
