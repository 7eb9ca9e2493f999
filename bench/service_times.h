// How long each request of the truth server takes: one time, or two with an exact share of the slow one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace mpsbench {

struct ServiceTimeOptions {
  std::int64_t fast_ns = 0;
  std::int64_t slow_ns = 0;
  // Of every thousand requests exactly so many are slow, at places drawn from the seed: a share that varied by chance
  // would move a percentile beside it from one time to the other.
  int slow_per_thousand = 0;
  std::uint64_t seed = 1;
};

// Thread: one.
class ServiceTimes {
 public:
  explicit ServiceTimes(const ServiceTimeOptions& options)
      : options_(options), random_(options.seed), slow_(kBlock, false), at_(kBlock) {
    std::fill(slow_.begin(), slow_.begin() + std::clamp(options.slow_per_thousand, 0, kBlock), true);
  }

  std::int64_t next_ns() {
    if (at_ == kBlock) {
      std::shuffle(slow_.begin(), slow_.end(), random_);
      at_ = 0;
    }
    return slow_[static_cast<std::size_t>(at_++)] ? options_.slow_ns : options_.fast_ns;
  }

 private:
  static constexpr int kBlock = 1000;
  ServiceTimeOptions options_;
  std::mt19937_64 random_;
  std::vector<bool> slow_;
  int at_;
};

}  // namespace mpsbench
