#include "cuda_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cuda_state.h"

namespace fake_cuda {
namespace {

// Written from the words of native/workload/encoder.h, not from its code.
float draw(std::uint64_t key, std::uint64_t index) {
  std::uint64_t z = key + 0x9e3779b97f4a7c15ULL * (index + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  z ^= z >> 31;
  return static_cast<float>(static_cast<double>(z >> 40) / 8388608.0 - 1.0);
}

std::uint64_t scramble(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

int run_fill(const Launch& launch) {
  const auto count = launch.parameters.get<std::uint64_t>(1);
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), count);
  if (out == nullptr) return kIllegalAddress;
  const auto key = launch.parameters.get<std::uint64_t>(2);
  const auto scale = launch.parameters.get<float>(3);
  for (std::uint64_t i = 0; i < count; ++i) out[i] = draw(key, i) * scale;
  return kSuccess;
}

int run_embed(const Launch& launch) {
  const auto per_request = launch.parameters.get<std::uint64_t>(2);
  const std::uint64_t requests = launch.grid_y;
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), requests * per_request);
  const auto* seeds = device_memory<std::uint64_t>(launch.parameters.get<std::uint64_t>(1), requests);
  if (out == nullptr || seeds == nullptr) return kIllegalAddress;
  const auto model_key = launch.parameters.get<std::uint64_t>(3);
  const auto scale = launch.parameters.get<float>(4);
  // A grid too small for the row would leave the rest unwritten, as on a GPU.
  const std::uint64_t reached = std::min(per_request, std::uint64_t{launch.grid_x} * launch.block_x);
  for (std::uint64_t request = 0; request < requests; ++request) {
    const std::uint64_t key = scramble(scramble(model_key) + 0x9e3779b97f4a7c15ULL * (seeds[request] + 1));
    for (std::uint64_t i = 0; i < reached; ++i) out[request * per_request + i] = draw(key, i) * scale;
  }
  return kSuccess;
}

float gelu(float x) {
  const double cubic = 0.7978845608028654 * (double{x} + 0.044715 * double{x} * x * x);
  return static_cast<float>(0.5 * double{x} * (1.0 + std::tanh(cubic)));
}

int run_product(const Launch& launch, std::uint64_t tile_rows) {
  const auto columns = static_cast<std::uint64_t>(launch.parameters.get<int>(5));
  const auto depth = static_cast<std::uint64_t>(launch.parameters.get<int>(6));
  const std::uint64_t rows = launch.grid_y * tile_rows;
  const auto residual_address = launch.parameters.get<std::uint64_t>(4);
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), rows * columns);
  const auto* activations = device_memory<float>(launch.parameters.get<std::uint64_t>(1), rows * depth);
  const auto* weights = device_memory<float>(launch.parameters.get<std::uint64_t>(2), depth * columns);
  const auto* bias = device_memory<float>(launch.parameters.get<std::uint64_t>(3), columns);
  const auto* residual = residual_address == 0 ? nullptr : device_memory<float>(residual_address, rows * columns);
  if (out == nullptr || activations == nullptr || weights == nullptr || bias == nullptr) return kIllegalAddress;
  if (residual_address != 0 && residual == nullptr) return kIllegalAddress;
  const std::uint64_t reached = std::min(columns, std::uint64_t{launch.grid_x} * 64);
  std::vector<float> sums(reached);
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (std::uint64_t k = 0; k < depth; ++k) {
      const float activation = activations[row * depth + k];
      for (std::uint64_t n = 0; n < reached; ++n) sums[n] += activation * weights[k * columns + n];
    }
    for (std::uint64_t n = 0; n < reached; ++n) {
      float y = sums[n] + bias[n];
      if (launch.parameters.get<int>(7) != 0) y = gelu(y);
      out[row * columns + n] = residual == nullptr ? y : residual[row * columns + n] + y;
    }
  }
  return kSuccess;
}

int run_normalise(const Launch& launch) {
  const auto hidden = static_cast<std::uint64_t>(launch.parameters.get<int>(1));
  float* rows = device_memory<float>(launch.parameters.get<std::uint64_t>(0), launch.grid_x * hidden);
  if (rows == nullptr) return kIllegalAddress;
  for (std::uint64_t r = 0; r < launch.grid_x; ++r) {
    float* row = rows + r * hidden;
    double mean = 0;
    double variance = 0;
    for (std::uint64_t i = 0; i < hidden; ++i) mean += double{row[i]} / static_cast<double>(hidden);
    for (std::uint64_t i = 0; i < hidden; ++i) {
      variance += (double{row[i]} - mean) * (double{row[i]} - mean) / static_cast<double>(hidden);
    }
    for (std::uint64_t i = 0; i < hidden; ++i) {
      row[i] = static_cast<float>((double{row[i]} - mean) / std::sqrt(variance + 1e-5));
    }
  }
  return kSuccess;
}

int run_pool(const Launch& launch) {
  const auto sequence = static_cast<std::uint64_t>(launch.parameters.get<int>(2));
  const auto hidden = static_cast<std::uint64_t>(launch.parameters.get<int>(3));
  const std::uint64_t requests = launch.grid_y;
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), requests * hidden);
  const auto* rows = device_memory<float>(launch.parameters.get<std::uint64_t>(1), requests * sequence * hidden);
  if (out == nullptr || rows == nullptr) return kIllegalAddress;
  const std::uint64_t reached = std::min(hidden, std::uint64_t{launch.grid_x} * launch.block_x);
  for (std::uint64_t request = 0; request < requests; ++request) {
    for (std::uint64_t column = 0; column < reached; ++column) {
      double sum = 0;
      for (std::uint64_t t = 0; t < sequence; ++t) sum += double{rows[(request * sequence + t) * hidden + column]};
      out[request * hidden + column] = static_cast<float>(sum / static_cast<double>(sequence));
    }
  }
  return kSuccess;
}

const Kernel kKernels[] = {
    {"mpsbench_fill", run_fill},
    {"mpsbench_embed", run_embed},
    {"mpsbench_product_64", [](const Launch& launch) { return run_product(launch, 64); }},
    {"mpsbench_product_128", [](const Launch& launch) { return run_product(launch, 128); }},
    {"mpsbench_normalise", run_normalise},
    {"mpsbench_pool", run_pool},
};

}  // namespace

const Kernel* find_kernel(const char* name) {
  for (const Kernel& kernel : kKernels) {
    if (std::strcmp(kernel.name, name) == 0) return &kernel;
  }
  return nullptr;
}

}  // namespace fake_cuda
