// The inference workload: an encoder-like chain of matrix products with BERT's shape, and the contract of its backends.
//
// Arithmetic, fp32 throughout, the same on every backend:
//   u(key, i)      uniform in [-1, 1), counter_hash.h
//   embedding      x[t][j] = √3 · u(derived_key(derived_key(seed, 0), request), t · hidden + j)     (variance 1)
//   weight         W[k][n] = √(3 / depth) · u(derived_key(seed, 1 + 2p), k · columns + n)           (keeps variance)
//   bias           b[n]    = 0.1 · u(derived_key(seed, 2 + 2p), n)          p = 6 · layer + product
//   each layer     y = ((x W0 + b0) W1 + b1) W2 + b2
//                  x = normalise(x + (y W3 + b3))            the cost of the attention projections, with no attention
//                  g = gelu(x W4 + b4)                       hidden → feedForward
//                  x = normalise(x + (g W5 + b5))            feedForward → hidden
//   result         pooled[j] = mean over the sequence of x[t][j]
//   gelu(v)        v / (1 + exp(-2 √(2/π) (v + 0.044715 v³))), the tanh form
//   normalise(v)   (v - mean) / √(variance + 1e-5) per row, no scale or shift
// A product sums over the depth from 0 upwards. The requests of a batch are rows beside each other and never meet, so a
// request's result does not depend on its batch mates.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"

namespace mpsbench {

// Ranges as in lib/records/plan.ts; hidden and feed_forward are multiples of 16.
struct EncoderDimensions {
  int layers = 0;
  int hidden = 0;
  int feed_forward = 0;
  int sequence = 0;
};

struct EncoderSpec {
  EncoderDimensions dimensions;
  std::uint64_t seed = 0;
  int max_batch_size = 1;
};

// |cpu - cuda| of any element of a pooled output. Weights and embeddings are the same bits; what differs is rounding:
// fused multiply-add, exp, and the order of the sums in normalise. That stays near 1e-6 for 12 layers of 768 (see
// encoder_test.cc), because every layer is normalised; a wrong weight, bias or row is off by 1e-2 and more.
inline constexpr float kEncoderTolerance = 1e-4F;

// One model copy. Thread: the one that made it.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  // Runs one batch of 1 to max_batch_size request seeds; `pooled` takes hidden floats per request. Blocks until they
  // are on the host. Allocates nothing.
  virtual Status run(std::span<const std::uint64_t> requests, std::span<float> pooled) = 0;
};

}  // namespace mpsbench
