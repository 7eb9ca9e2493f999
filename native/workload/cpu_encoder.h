// The encoder on the CPU, single-threaded. Thread: the one that made it.
#pragma once

#include <cstddef>
#include <memory>

#include "workload/encoder.h"

namespace mpsbench {

struct CpuEncoder {
  std::unique_ptr<Encoder> encoder;
  std::size_t weight_bytes = 0;
};

// Draws the weights and reserves the activations of a full batch.
CpuEncoder make_cpu_encoder(const EncoderSpec& spec);

}  // namespace mpsbench
