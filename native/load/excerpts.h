// The first few different replies with an unexpected status, kept to be shown to people.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "load/response_parser.h"

namespace mpsbench {

struct Excerpt {
  std::uint16_t status = 0;
  std::uint8_t length = 0;
  std::array<char, kExcerptBytes> text{};

  [[nodiscard]] std::string_view view() const { return {text.data(), length}; }
};

// Thread: add by the worker, the rest by any.
class Excerpts {
 public:
  void add(std::uint16_t status, std::string_view text) {
    const std::size_t count = count_.load(std::memory_order_relaxed);
    if (count == kept_.size()) return;
    for (std::size_t index = 0; index < count; ++index) {
      if (kept_[index].status == status && kept_[index].view() == text) return;
    }
    Excerpt& next = kept_[count];
    next.status = status;
    next.length = static_cast<std::uint8_t>(std::min(text.size(), next.text.size()));
    std::copy_n(text.data(), next.length, next.text.data());
    count_.store(count + 1, std::memory_order_release);
  }

  // Those below it stay as they are.
  [[nodiscard]] std::size_t count() const { return count_.load(std::memory_order_acquire); }
  [[nodiscard]] const Excerpt& at(std::size_t index) const { return kept_[index]; }

 private:
  std::array<Excerpt, 4> kept_{};
  std::atomic<std::size_t> count_{0};
};

}  // namespace mpsbench
