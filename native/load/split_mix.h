// The random numbers of lib/core/random.ts: SplitMix64, whose n-th number needs no other.
#pragma once

#include <cstdint>

namespace mpsbench {

// Thread: any.
inline std::uint64_t split_mix(std::uint64_t state, std::uint64_t number) {
  std::uint64_t z = state + (number + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace mpsbench
