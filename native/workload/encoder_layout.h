// Where each weight and bias of the encoder lies and how it is drawn; shared by the backends. Thread: any.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "workload/counter_hash.h"
#include "workload/encoder.h"

namespace mpsbench {

inline constexpr int kProductsPerLayer = 6;

// One product: activations[rows × depth] · weights[depth × columns] + bias[columns].
struct ProductLayout {
  int depth = 0;
  int columns = 0;
  // In floats, from the start of one buffer for the whole model.
  std::size_t weight_offset = 0;
  std::size_t bias_offset = 0;
  std::uint64_t weight_key = 0;
  std::uint64_t bias_key = 0;
  float weight_scale = 0;
};

inline constexpr float kBiasScale = 0.1F;
// √3 gives a uniform draw variance 1.
inline constexpr float kEmbeddingScale = 1.7320508F;

class EncoderLayout {
 public:
  EncoderLayout(const EncoderDimensions& dimensions, std::uint64_t seed) : dimensions_(dimensions), seed_(seed) {}

  // `product` is 0 to 5 as W0 … W5 in encoder.h.
  [[nodiscard]] ProductLayout product(int layer, int product) const {
    const auto hidden = static_cast<std::size_t>(dimensions_.hidden);
    const auto feed_forward = static_cast<std::size_t>(dimensions_.feed_forward);
    const auto number = static_cast<std::uint64_t>(layer) * kProductsPerLayer + static_cast<std::uint64_t>(product);
    ProductLayout layout;
    layout.depth = product == 5 ? dimensions_.feed_forward : dimensions_.hidden;
    layout.columns = product == 4 ? dimensions_.feed_forward : dimensions_.hidden;
    const std::size_t layer_offset = static_cast<std::size_t>(layer) * layer_floats();
    const auto index = static_cast<std::size_t>(product);
    layout.weight_offset =
        layer_offset + (product < 5 ? index * hidden * hidden : 4 * hidden * hidden + hidden * feed_forward);
    layout.bias_offset =
        layer_offset + weights_per_layer() + (product < 5 ? index * hidden : 4 * hidden + feed_forward);
    layout.weight_key = derived_key(seed_, 1 + 2 * number);
    layout.bias_key = derived_key(seed_, 2 + 2 * number);
    layout.weight_scale = std::sqrt(3.0F / static_cast<float>(layout.depth));
    return layout;
  }

  // Of all layers, weights and biases.
  [[nodiscard]] std::size_t total_floats() const {
    return static_cast<std::size_t>(dimensions_.layers) * layer_floats();
  }

  // The parent of every request's key.
  [[nodiscard]] std::uint64_t embedding_key() const { return derived_key(seed_, 0); }

 private:
  [[nodiscard]] std::size_t weights_per_layer() const {
    const auto hidden = static_cast<std::size_t>(dimensions_.hidden);
    return 4 * hidden * hidden + 2 * hidden * static_cast<std::size_t>(dimensions_.feed_forward);
  }
  [[nodiscard]] std::size_t layer_floats() const {
    return weights_per_layer() + 5 * static_cast<std::size_t>(dimensions_.hidden) +
           static_cast<std::size_t>(dimensions_.feed_forward);
  }

  EncoderDimensions dimensions_;
  std::uint64_t seed_;
};

}  // namespace mpsbench
