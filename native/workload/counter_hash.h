// The counter-based generator of weights and embeddings: a value is a pure function of a key and an index, so that the
// CPU and every GPU thread draw the same bits in any order. Thread: any.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define MPSBENCH_HOST_DEVICE __host__ __device__
#else
#define MPSBENCH_HOST_DEVICE
#endif

namespace mpsbench {

inline constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15ULL;

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
MPSBENCH_HOST_DEVICE constexpr std::uint64_t mix64(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// A key for stream number `stream` under `parent` (a seed or another key).
MPSBENCH_HOST_DEVICE constexpr std::uint64_t derived_key(std::uint64_t parent, std::uint64_t stream) {
  return mix64(mix64(parent) + kGoldenGamma * (stream + 1));
}

// Uniform on the grid k / 2^23 in [-1, 1). Integer, conversion, product and difference are all exact in fp32, so the
// result does not depend on the compiler, on fused multiply-add or on the processor.
MPSBENCH_HOST_DEVICE constexpr float uniform(std::uint64_t key, std::uint64_t index) {
  const auto bits = static_cast<std::uint32_t>(mix64(key + kGoldenGamma * (index + 1)) >> 40);
  return static_cast<float>(bits) * (1.0F / 8388608.0F) - 1.0F;
}

}  // namespace mpsbench
