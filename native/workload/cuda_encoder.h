// The encoder on a GPU through the CUDA driver API. Thread: the one that made it.
//
// ONLY for worker processes: see gpu/cuda_driver.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "gpu/cuda_context.h"
#include "workload/encoder.h"

namespace mpsbench {

struct CudaEncoder {
  std::unique_ptr<Encoder> encoder;
  std::size_t weight_bytes = 0;
  cuda::DeviceFacts facts;
  std::int64_t context_creation_ns = 0;
};

// Opens the driver, creates the context on the device of that UUID (absent = the first visible one), compiles the
// kernels, draws the weights on the device and reserves the activations of a full batch.
// Errors: CUDA_LIBRARY_MISSING, CUDA_CALL_FAILED.
Result<CudaEncoder> make_cuda_encoder(const EncoderSpec& spec, const std::optional<std::string>& cuda_path,
                                      const std::optional<std::string>& device_uuid);

}  // namespace mpsbench
