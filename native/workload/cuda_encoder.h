// The encoder on a GPU through the CUDA driver API. Thread: the one that made it.
//
// ONLY for worker processes: see gpu/cuda_driver.h.
//
// Measured on an H200 with driver 580 on 2026-11-22, 12 layers of 768 and 3072 at sequence 128, which are 21.74 GFLOP of
// products a request: batch 1 in 6.39 ms, 4 in 6.29 ms, 32 in 23.6 ms, hence 3.4, 13.8 and 29.5 TFLOP/s in fp32. The
// time of a small batch does not fall because it does not fill the GPU: a product of 768 columns is 24 blocks at batch 1
// and 96 at batch 4, for 132 SMs. That room is what workers under MPS can share.
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
