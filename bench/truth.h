// What the truth server knows of its own replies, and how it says it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mpsbench {

// What happened since the start or the last /reset; times by CLOCK_MONOTONIC, 0 = not yet.
struct Truth {
  std::vector<std::int64_t> spans_ns;
  std::int64_t first_accept_ns = 0;
  std::int64_t first_arrival_ns = 0;
  std::size_t connections = 0;
  std::size_t connections_most = 0;
  int accept_errno = 0;
};

// Nearest rank, as the histograms of load generators have it.
inline std::int64_t quantile(const std::vector<std::int64_t>& sorted, double probability) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(probability * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

inline std::string truth_json(Truth& truth) {
  std::sort(truth.spans_ns.begin(), truth.spans_ns.end());
  std::string json = "{\"count\":" + std::to_string(truth.spans_ns.size());
  const auto add = [&json](const char* name, std::int64_t value) {
    json += std::string(",\"") + name + "\":" + std::to_string(value);
  };
  add("p50Ns", quantile(truth.spans_ns, 0.5));
  add("p99Ns", quantile(truth.spans_ns, 0.99));
  add("p999Ns", quantile(truth.spans_ns, 0.999));
  add("maxNs", quantile(truth.spans_ns, 1));
  add("firstArrivalNs", truth.first_arrival_ns);
  add("firstAcceptNs", truth.first_accept_ns);
  add("connectionsMost", static_cast<std::int64_t>(truth.connections_most));
  add("acceptErrno", truth.accept_errno);
  return json + "}";
}

}  // namespace mpsbench
