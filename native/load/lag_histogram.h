// How long a loop was deaf: counts by size, with buckets that double in eighths.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace mpsbench {

// Thread: one; anybody's once that thread has ended.
class LagHistogram {
 public:
  void record(std::int64_t span_ns) {
    const auto value = static_cast<std::uint64_t>(span_ns > 0 ? span_ns : 0);
    counts_[bucket_of(value)] += 1;
    total_ += 1;
    if (value > most_) most_ = value;
  }

  void add(const LagHistogram& other) {
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) counts_[bucket] += other.counts_[bucket];
    total_ += other.total_;
    if (other.most_ > most_) most_ = other.most_;
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::uint64_t most_ns() const { return most_; }

  // The top of the bucket that holds the quantile, at most an eighth above it; probability from 0 to 1.
  [[nodiscard]] std::uint64_t quantile_ns(double probability) const {
    const double wanted = probability * static_cast<double>(total_);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return top_of(bucket) < most_ ? top_of(bucket) : most_;
    }
    return most_;
  }

 private:
  static constexpr std::size_t kEighths = 8;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < kEighths) return static_cast<std::size_t>(value);
    const auto exponent = static_cast<std::size_t>(std::bit_width(value)) - 4;
    return (exponent + 1) * kEighths + static_cast<std::size_t>(value >> exponent) - kEighths;
  }

  static std::uint64_t top_of(std::size_t bucket) {
    if (bucket < kEighths) return bucket;
    const std::size_t exponent = bucket / kEighths - 1;
    return ((std::uint64_t{bucket % kEighths + kEighths} + 1) << exponent) - 1;
  }

  std::array<std::uint64_t, (64 - 2) * kEighths> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace mpsbench
