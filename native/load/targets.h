// Which server each connection is one to, and at which of its addresses.
#pragma once

#include <cstdint>
#include <vector>

#include "load/load_spec.h"

namespace mpsbench {

// `spec` outlives it. Thread: worker.
class Targets {
 public:
  // Of the connections of thread `worker`.
  Targets(const LoadSpec& spec, std::uint32_t worker) : spec_(spec), worker_(worker), reached_(spec.servers.size()) {}

  // Connections are numbered through all threads in turn.
  [[nodiscard]] std::uint32_t number_of(std::uint32_t index) const { return index * spec_.threads + worker_; }
  [[nodiscard]] std::uint32_t server_of(std::uint32_t index) const {
    return number_of(index) % static_cast<std::uint32_t>(spec_.servers.size());
  }
  // Where in LoadSpec::requests the requests to that server begin.
  [[nodiscard]] std::uint32_t first_request_of(std::uint32_t index) const {
    return server_of(index) * static_cast<std::uint32_t>(spec_.pool());
  }

  // Attempts, from 0, begin with the address that was reached last.
  [[nodiscard]] const Endpoint& address(std::uint32_t index, std::uint32_t attempt) const {
    return addresses_of(index)[place(index, attempt)];
  }
  [[nodiscard]] bool has_attempt(std::uint32_t index, std::uint32_t attempt) const {
    return attempt < addresses_of(index).size();
  }
  void reached(std::uint32_t index, std::uint32_t attempt) { reached_[server_of(index)] = place(index, attempt); }

 private:
  [[nodiscard]] const std::vector<Endpoint>& addresses_of(std::uint32_t index) const {
    return spec_.servers[server_of(index)];
  }
  [[nodiscard]] std::size_t place(std::uint32_t index, std::uint32_t attempt) const {
    return (reached_[server_of(index)] + attempt) % addresses_of(index).size();
  }

  const LoadSpec& spec_;
  const std::uint32_t worker_;
  // By server: the address that was reached last.
  std::vector<std::size_t> reached_;
};

}  // namespace mpsbench
