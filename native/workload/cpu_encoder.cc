#include "workload/cpu_encoder.h"

#include <cmath>
#include <utility>
#include <vector>

#include "workload/cpu_product.h"
#include "workload/encoder_layout.h"

namespace mpsbench {
namespace {

constexpr float kNormaliseEpsilon = 1e-5F;

void draw_product(const ProductLayout& layout, std::vector<float>& model) {
  float* panels = model.data() + layout.weight_offset;
  for (int k = 0; k < layout.depth; ++k) {
    for (int n = 0; n < layout.columns; ++n) {
      const auto index =
          static_cast<std::uint64_t>(k) * static_cast<std::uint64_t>(layout.columns) + static_cast<std::uint64_t>(n);
      const auto panel = static_cast<std::size_t>(n / kPanelColumns) * static_cast<std::size_t>(layout.depth);
      const std::size_t place =
          (panel + static_cast<std::size_t>(k)) * kPanelColumns + static_cast<std::size_t>(n % kPanelColumns);
      panels[place] = uniform(layout.weight_key, index) * layout.weight_scale;
    }
  }
  float* bias = model.data() + layout.bias_offset;
  for (int n = 0; n < layout.columns; ++n) {
    bias[n] = uniform(layout.bias_key, static_cast<std::uint64_t>(n)) * kBiasScale;
  }
}

void normalise(float* row, int hidden) {
  float sum = 0;
  for (int i = 0; i < hidden; ++i) sum += row[i];
  const float mean = sum / static_cast<float>(hidden);
  float squares = 0;
  for (int i = 0; i < hidden; ++i) squares += (row[i] - mean) * (row[i] - mean);
  const float deviation = std::sqrt(squares / static_cast<float>(hidden) + kNormaliseEpsilon);
  for (int i = 0; i < hidden; ++i) row[i] = (row[i] - mean) / deviation;
}

// Thread: the one that made it.
class SingleThreadedEncoder final : public Encoder {
 public:
  explicit SingleThreadedEncoder(const EncoderSpec& spec)
      : dimensions_(spec.dimensions), layout_(spec.dimensions, spec.seed), model_(layout_.total_floats()) {
    for (int layer = 0; layer < dimensions_.layers; ++layer) {
      for (int product = 0; product < kProductsPerLayer; ++product)
        draw_product(layout_.product(layer, product), model_);
    }
    const std::size_t rows =
        static_cast<std::size_t>(spec.max_batch_size) * static_cast<std::size_t>(dimensions_.sequence);
    const std::size_t hidden_floats = rows * static_cast<std::size_t>(dimensions_.hidden);
    x_.resize(hidden_floats);
    odd_.resize(hidden_floats);
    even_.resize(hidden_floats);
    wide_.resize(rows * static_cast<std::size_t>(dimensions_.feed_forward));
  }

  Status run(std::span<const std::uint64_t> requests, std::span<float> pooled) override {
    const int rows = static_cast<int>(requests.size()) * dimensions_.sequence;
    embed(requests);
    for (int layer = 0; layer < dimensions_.layers; ++layer) {
      apply(layer, 0, rows, {.from = x_.data(), .to = odd_.data()});
      apply(layer, 1, rows, {.from = odd_.data(), .to = even_.data()});
      apply(layer, 2, rows, {.from = even_.data(), .to = odd_.data()});
      apply(layer, 3, rows, {.from = odd_.data(), .to = x_.data(), .residual = x_.data()});
      normalise_rows(rows);
      apply(layer, 4, rows, {.from = x_.data(), .to = wide_.data(), .gelu = true});
      apply(layer, 5, rows, {.from = wide_.data(), .to = x_.data(), .residual = x_.data()});
      normalise_rows(rows);
    }
    pool(static_cast<int>(requests.size()), pooled);
    return Ok{};
  }

 private:
  struct Step {
    const float* from = nullptr;
    float* to = nullptr;
    const float* residual = nullptr;
    bool gelu = false;
  };

  void apply(int layer, int number, int rows, const Step& step) {
    const ProductLayout layout = layout_.product(layer, number);
    multiply({.activations = step.from,
              .panels = model_.data() + layout.weight_offset,
              .bias = model_.data() + layout.bias_offset,
              .residual = step.residual,
              .out = step.to,
              .rows = rows,
              .depth = layout.depth,
              .columns = layout.columns,
              .gelu = step.gelu});
  }

  void embed(std::span<const std::uint64_t> requests) {
    const auto per_request =
        static_cast<std::uint64_t>(dimensions_.sequence) * static_cast<std::uint64_t>(dimensions_.hidden);
    float* to = x_.data();
    for (const std::uint64_t request : requests) {
      const std::uint64_t key = derived_key(layout_.embedding_key(), request);
      for (std::uint64_t i = 0; i < per_request; ++i) *to++ = uniform(key, i) * kEmbeddingScale;
    }
  }

  void normalise_rows(int rows) {
    for (int row = 0; row < rows; ++row) {
      normalise(x_.data() + static_cast<std::size_t>(row) * static_cast<std::size_t>(dimensions_.hidden),
                dimensions_.hidden);
    }
  }

  void pool(int requests, std::span<float> pooled) const {
    const auto hidden = static_cast<std::size_t>(dimensions_.hidden);
    const auto sequence = static_cast<std::size_t>(dimensions_.sequence);
    for (std::size_t request = 0; request < static_cast<std::size_t>(requests); ++request) {
      for (std::size_t column = 0; column < hidden; ++column) {
        float sum = 0;
        for (std::size_t t = 0; t < sequence; ++t) sum += x_[(request * sequence + t) * hidden + column];
        pooled[request * hidden + column] = sum / static_cast<float>(dimensions_.sequence);
      }
    }
  }

  EncoderDimensions dimensions_;
  EncoderLayout layout_;
  std::vector<float> model_;
  std::vector<float> x_;
  std::vector<float> odd_;
  std::vector<float> even_;
  std::vector<float> wide_;
};

}  // namespace

CpuEncoder make_cpu_encoder(const EncoderSpec& spec) {
  const EncoderLayout layout(spec.dimensions, spec.seed);
  return {std::make_unique<SingleThreadedEncoder>(spec), layout.total_floats() * sizeof(float)};
}

}  // namespace mpsbench
