#include "workload/cpu_product.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace mpsbench {
namespace {

// Two vectors of eight make a panel's width; the compiler splits them where the processor has narrower registers.
// Unaligned, because a batch of rows may begin anywhere.
using Vector = float __attribute__((vector_size(32), aligned(4)));
constexpr int kVectorFloats = 8;
constexpr int kVectors = kPanelColumns / kVectorFloats;

// Rows that are taken through all panels before the next ones: their activations stay in the second-level cache.
constexpr int kRowBlock = 64;
constexpr int kRowsAtOnce = 4;

float gelu_of(float x) {
  const float u = 0.7978845608F * (x + 0.044715F * x * x * x);
  return x / (1.0F + std::exp(-2.0F * u));
}

void finish_row(const CpuProduct& product, int row, int column, const float* sums) {
  const std::size_t at =
      static_cast<std::size_t>(row) * static_cast<std::size_t>(product.columns) + static_cast<std::size_t>(column);
  for (int i = 0; i < kPanelColumns; ++i) {
    float y = sums[i] + product.bias[column + i];
    if (product.gelu) y = gelu_of(y);
    product.out[at + static_cast<std::size_t>(i)] =
        product.residual == nullptr ? y : product.residual[at + static_cast<std::size_t>(i)] + y;
  }
}

// kRows rows by one panel, summed in registers. Always inlined, so that each caller's instruction set applies.
template <int kRows>
[[gnu::always_inline]] inline void multiply_rows(const CpuProduct& product, int row, int column) {
  const auto depth = static_cast<std::size_t>(product.depth);
  const float* panel = product.panels + static_cast<std::size_t>(column) * depth;
  const float* first = product.activations + static_cast<std::size_t>(row) * depth;
  Vector sums[kRows][kVectors] = {};
  for (std::size_t k = 0; k < depth; ++k) {
    const auto* weights = reinterpret_cast<const Vector*>(panel + k * kPanelColumns);
    for (int r = 0; r < kRows; ++r) {
      const float activation = first[static_cast<std::size_t>(r) * depth + k];
      for (int v = 0; v < kVectors; ++v) sums[r][v] += activation * weights[v];
    }
  }
  for (int r = 0; r < kRows; ++r) finish_row(product, row + r, column, reinterpret_cast<const float*>(sums[r]));
}

[[gnu::always_inline]] inline void multiply_all(const CpuProduct& product) {
  for (int block = 0; block < product.rows; block += kRowBlock) {
    const int end = std::min(product.rows, block + kRowBlock);
    for (int column = 0; column < product.columns; column += kPanelColumns) {
      int row = block;
      for (; row + kRowsAtOnce <= end; row += kRowsAtOnce) multiply_rows<kRowsAtOnce>(product, row, column);
      for (; row < end; ++row) multiply_rows<1>(product, row, column);
    }
  }
}

#if defined(__x86_64__)
// The binary runs on any x86-64; processors since 2013 have these, and with them the product is about four times
// faster.
[[gnu::target("avx2,fma")]] void multiply_avx2(const CpuProduct& product) { multiply_all(product); }
#endif

}  // namespace

void multiply(const CpuProduct& product) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    multiply_avx2(product);
    return;
  }
#endif
  multiply_all(product);
}

}  // namespace mpsbench
