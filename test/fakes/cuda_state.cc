#include "cuda_state.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace fake_cuda {

State& state() {
  static State the_state;
  return the_state;
}

Scenario read_scenario() {
  Scenario scenario;
  bool none = false;
  const char* path = std::getenv("FAKE_CUDA_SCENARIO");
  std::ifstream file(path != nullptr ? path : "/dev/null");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what;
    std::string call;
    words >> what;
    if (what == "device") {
      Device device;
      words >> device.uuid >> device.multiprocessors >> std::ws;
      std::getline(words, device.name);
      scenario.devices.push_back(device);
    } else if (what == "no_devices") {
      none = true;
    } else if (what == "memory_mib") {
      words >> scenario.memory_bytes;
      scenario.memory_bytes <<= 20;
    } else if (what == "mps_enabled") {
      words >> scenario.mps_enabled;
    } else if (what == "mps_max_clients") {
      words >> scenario.mps_max_clients;
    } else if (what == "contexts_mib") {
      words >> scenario.contexts_mib;
    } else if (what == "return") {
      Rule rule;
      words >> rule.call >> rule.code;
      if (const std::size_t at = rule.call.find('@'); at != std::string::npos) {
        rule.nth = std::atoi(rule.call.c_str() + at + 1);
        rule.call.resize(at);
      }
      scenario.returns.push_back(rule);
    } else if (what == "hang") {
      words >> call;
      words >> scenario.hang_ms[call];
    } else if (what == "crash") {
      words >> call;
      scenario.crashes[call] = true;
    } else if (!what.empty() && what[0] != '#') {
      std::fprintf(stderr, "fake libcuda: cannot read: %s\n", line.c_str());
      std::abort();
    }
  }
  if (scenario.devices.empty() && !none) {
    scenario.devices.push_back({"GPU-5f1c2d3e-0a1b-4c2d-8e3f-000000000001", 132, "NVIDIA H100 80GB HBM3"});
  }
  return scenario;
}

// A test ends a long hang by taking it out of the script, so that no test has to wait one out.
void hang(const char* call, int for_ms) {
  constexpr int kLookMs = 50;
  for (int slept_ms = 0; slept_ms < for_ms; slept_ms += kLookMs) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(kLookMs, for_ms - slept_ms)));
    if (for_ms > kLookMs && read_scenario().hang_ms.count(call) == 0) return;
  }
}

// What the scenario says about this call: a code to return at once, or 0 to go on.
int scripted(const char* call) {
  int hang_ms = 0;
  int code = kSuccess;
  {
    State& s = state();
    const std::lock_guard lock(s.mutex);
    const int nth = ++s.calls[call];
    for (const Rule& rule : s.scenario.returns) {
      if (rule.call == call && (rule.nth == 0 || rule.nth == nth)) code = rule.code;
    }
    if (s.scenario.crashes.count(call) != 0) std::abort();
    if (const auto found = s.scenario.hang_ms.find(call); found != s.scenario.hang_ms.end()) hang_ms = found->second;
    if (code == kSuccess && !s.initialised && std::strcmp(call, "cuInit") != 0) code = kNotInitialised;
  }
  hang(call, hang_ms);
  return code;
}

}  // namespace fake_cuda
