// Hands rows from the one thread that makes them to the one that takes them, without a lock.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "load/request_record.h"

namespace mpsbench {

// 16 MiB: more than a second of rows at 200,000 requests per second.
constexpr std::size_t kMostRingRows = std::size_t{1} << 18;
constexpr std::size_t kFewestRingRows = 1024;

// Room for a run: the whole ring is touched before the first request, which a run of a few need not wait for. How many
// requests a warm-up has is not known beforehand.
inline std::size_t ring_rows(std::int64_t measured_requests, bool warms_up) {
  if (warms_up) return kMostRingRows;
  return std::clamp(static_cast<std::size_t>(measured_requests), kFewestRingRows, kMostRingRows);
}

// Thread: push by the worker, drain by one other.
class RecordRing {
 public:
  // Room for at least `capacity` rows, reserved and touched now, so that no page is first touched under load.
  explicit RecordRing(std::size_t capacity) : rows_(std::bit_ceil(capacity)), mask_(rows_.size() - 1) {}

  // False when there is no room until the next drain.
  [[nodiscard]] bool push(const RequestRecord& row) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head - known_tail_ == rows_.size()) {
      known_tail_ = tail_.load(std::memory_order_acquire);
      if (head - known_tail_ == rows_.size()) return false;
    }
    rows_[head & mask_] = row;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // Appends what was pushed so far, `most` rows at the most.
  void drain(std::vector<RequestRecord>& into, std::size_t most) {
    std::size_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t end = tail + std::min(most, head_.load(std::memory_order_acquire) - tail);
    for (; tail != end; ++tail) into.push_back(rows_[tail & mask_]);
    tail_.store(tail, std::memory_order_release);
  }

 private:
  std::vector<RequestRecord> rows_;
  std::size_t mask_;
  // Each side's index on a cache line of its own.
  alignas(64) std::atomic<std::size_t> head_{0};
  std::size_t known_tail_ = 0;
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace mpsbench
