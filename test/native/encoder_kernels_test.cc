// The source of the GPU kernels, compiled for the host, against plain loops: tiles, edges, barriers, fused epilogues.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

#include "check.h"
#include "cuda_on_host.h"
// After cuda_on_host.h, which makes it C++ for the host.
#include "workload/encoder_kernels.cu"

namespace mpsbench {
namespace {

using test::Check;

constexpr unsigned kBlockThreads = 256;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Floats where a vector of four may be read.
class Matrix {
 public:
  Matrix(std::size_t rows, std::size_t columns, float value = kNan)
      : columns_(columns), cells_((rows * columns + 3) / 4, float4{value, value, value, value}) {}
  // Uniform draws of that key.
  Matrix(std::size_t rows, std::size_t columns, std::uint64_t key) : Matrix(rows, columns) {
    for (std::size_t i = 0; i < rows * columns; ++i) data()[i] = uniform(key, i);
  }
  float* data() { return reinterpret_cast<float*>(cells_.data()); }
  float& at(std::size_t row, std::size_t column) { return data()[row * columns_ + column]; }

 private:
  std::size_t columns_;
  std::vector<float4> cells_;
};

void launch(unsigned x, unsigned y, const std::function<void()>& kernel) {
  cuda_on_host::Block::current().launch({x, y}, kBlockThreads, kernel);
}

struct ProductCase {
  unsigned tile_rows;
  unsigned columns;
  unsigned depth;
  bool gelu;
  bool residual;
};

double product_error(const ProductCase& test) {
  constexpr unsigned kRows = 256;
  Matrix activations(kRows, test.depth, std::uint64_t{1});
  Matrix weights(test.depth, test.columns, std::uint64_t{2});
  Matrix bias(1, test.columns, std::uint64_t{3});
  Matrix residual(kRows, test.columns, std::uint64_t{4});
  // The encoder adds in place.
  Matrix out = test.residual ? residual : Matrix(kRows, test.columns);
  const auto kernel = test.tile_rows == 64 ? mpsbench_product_64 : mpsbench_product_128;
  launch((test.columns + 63) / 64, kRows / test.tile_rows, [&] {
    kernel(out.data(), activations.data(), weights.data(), bias.data(), test.residual ? out.data() : nullptr,
           static_cast<int>(test.columns), static_cast<int>(test.depth), test.gelu ? 1 : 0);
  });
  double worst = 0;
  for (unsigned row = 0; row < kRows; ++row) {
    for (unsigned column = 0; column < test.columns; ++column) {
      double y = double{bias.at(0, column)};
      for (unsigned k = 0; k < test.depth; ++k) y += double{activations.at(row, k)} * double{weights.at(k, column)};
      if (test.gelu) y = 0.5 * y * (1 + std::tanh(0.7978845608028654 * (y + 0.044715 * y * y * y)));
      if (test.residual) y += double{residual.at(row, column)};
      const double error = std::abs(y - double{out.at(row, column)});
      worst = error <= worst ? worst : error;  // NaN is worst of all
    }
  }
  return worst;
}

void products_match_plain_loops_at_every_edge(Check& check) {
  for (const unsigned tile_rows : {64U, 128U}) {
    for (const unsigned columns : {16U, 80U, 144U}) {
      for (const unsigned depth : {16U, 32U, 48U}) {
        for (const int fused : {0, 1, 2, 3}) {
          const ProductCase test{tile_rows, columns, depth, (fused & 1) != 0, (fused & 2) != 0};
          const double error = product_error(test);
          if (!(error < 3e-5)) std::printf("    %u rows × %u, depth %u: %g\n", tile_rows, columns, depth, error);
          CHECK_THAT(check, error < 3e-5);
        }
      }
    }
  }
}

void rows_are_normalised_whatever_their_length(Check& check) {
  for (const unsigned hidden : {16U, 48U, 256U, 784U}) {
    Matrix rows(3, hidden, std::uint64_t{5});
    const std::vector<float> before(rows.data(), rows.data() + 3 * hidden);
    launch(3, 1, [&] { mpsbench_normalise(rows.data(), static_cast<int>(hidden)); });
    for (unsigned row = 0; row < 3; ++row) {
      double mean = 0;
      double variance = 0;
      for (unsigned i = 0; i < hidden; ++i) mean += double{before[row * hidden + i]} / hidden;
      for (unsigned i = 0; i < hidden; ++i) {
        variance += (double{before[row * hidden + i]} - mean) * (double{before[row * hidden + i]} - mean) / hidden;
      }
      for (unsigned i = 0; i < hidden; ++i) {
        const double expected = (double{before[row * hidden + i]} - mean) / std::sqrt(variance + 1e-5);
        CHECK_THAT(check, std::abs(double{rows.at(row, i)} - expected) < 1e-5);
      }
    }
  }
}

void pooled_outputs_are_means_over_the_sequence(Check& check) {
  constexpr unsigned kHidden = 272;
  constexpr unsigned kSequence = 3;
  Matrix rows(2 * kSequence, kHidden, std::uint64_t{6});
  Matrix out(2, kHidden);
  launch(2, 2, [&] { mpsbench_pool(out.data(), rows.data(), kSequence, kHidden); });
  for (unsigned request = 0; request < 2; ++request) {
    for (unsigned column = 0; column < kHidden; ++column) {
      double sum = 0;
      for (unsigned t = 0; t < kSequence; ++t) sum += double{rows.at(request * kSequence + t, column)};
      CHECK_THAT(check, std::abs(double{out.at(request, column)} - sum / kSequence) < 1e-6);
    }
  }
}

void draws_are_the_same_bits_as_on_the_cpu(Check& check) {
  constexpr unsigned kCount = 1000;
  Matrix filled(1, kCount);
  launch(2, 1, [&] { mpsbench_fill(filled.data(), kCount, 99, 0.3F); });
  for (unsigned i = 0; i < kCount; ++i) CHECK_THAT(check, filled.at(0, i) == uniform(99, i) * 0.3F);

  const unsigned long long seeds[] = {5, ~0ULL};
  Matrix embedded(2, kCount);
  launch(4, 2, [&] { mpsbench_embed(embedded.data(), seeds, kCount, 77, 1.5F); });
  for (unsigned request = 0; request < 2; ++request) {
    for (unsigned i = 0; i < kCount; ++i) {
      CHECK_THAT(check, embedded.at(request, i) == uniform(derived_key(77, seeds[request]), i) * 1.5F);
    }
  }
}

constexpr test::Case kCases[] = {
    {"products match plain loops at every edge", products_match_plain_loops_at_every_edge},
    {"rows are normalised whatever their length", rows_are_normalised_whatever_their_length},
    {"pooled outputs are means over the sequence", pooled_outputs_are_means_over_the_sequence},
    {"draws are the same bits as on the CPU", draws_are_the_same_bits_as_on_the_cpu},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
