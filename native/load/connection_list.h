// First in, first out of connections, threaded through them, so that any can leave from the middle.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "load/connection.h"

namespace mpsbench {

// A connection is in one list at most. Thread: worker.
class ConnectionList {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  explicit ConnectionList(std::vector<Connection>& connections) : connections_(connections) {}

  [[nodiscard]] std::uint32_t first() const { return first_; }
  [[nodiscard]] bool empty() const { return first_ == kNone; }
  [[nodiscard]] std::int64_t size() const { return size_; }

  void append(std::uint32_t index) {
    connections_[index].previous = last_;
    connections_[index].next = kNone;
    (last_ == kNone ? first_ : connections_[last_].next) = index;
    last_ = index;
    size_ += 1;
  }

  void remove(std::uint32_t index) {
    const std::uint32_t previous = connections_[index].previous;
    const std::uint32_t next = connections_[index].next;
    (previous == kNone ? first_ : connections_[previous].next) = next;
    (next == kNone ? last_ : connections_[next].previous) = previous;
    size_ -= 1;
  }

 private:
  std::vector<Connection>& connections_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::int64_t size_ = 0;
};

}  // namespace mpsbench
