// Connections without a request, given out to the servers in turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mpsbench {

// Of one server's connections the last one in is the first one out, so that no more of them are used than needed.
// Thread: worker.
class FreeConnections {
 public:
  // Never holds more than so many, and allocates nothing later.
  FreeConnections(std::size_t servers, std::size_t connections) : by_server_(servers) {
    for (std::vector<std::uint32_t>& stack : by_server_) stack.reserve(connections);
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }

  void put(std::uint32_t index, std::size_t server) {
    by_server_[server].push_back(index);
    size_ += 1;
  }

  // Of the server whose turn it is; of the next one that has a free connection where it has none. Must not be empty.
  std::uint32_t take() {
    while (by_server_[turn_].empty()) turn_ = (turn_ + 1) % by_server_.size();
    std::vector<std::uint32_t>& stack = by_server_[turn_];
    turn_ = (turn_ + 1) % by_server_.size();
    size_ -= 1;
    const std::uint32_t index = stack.back();
    stack.pop_back();
    return index;
  }

 private:
  std::vector<std::vector<std::uint32_t>> by_server_;
  std::size_t turn_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mpsbench
