// What the fake libcuda holds: the scenario that it plays, and what has been asked of it so far.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fake_cuda {

inline constexpr int kSuccess = 0;
inline constexpr int kInvalidValue = 1;
inline constexpr int kOutOfMemory = 2;
inline constexpr int kNotInitialised = 3;
inline constexpr int kInvalidDevice = 101;
inline constexpr int kInvalidContext = 201;
inline constexpr int kInvalidPtx = 218;
inline constexpr int kNotFound = 500;
inline constexpr int kIllegalAddress = 700;
inline constexpr int kMaxClientsReached = 808;

struct Device {
  std::string uuid;
  int multiprocessors = 0;
  std::string name;
};

struct Rule {
  std::string call;
  int nth = 0;  // 0 = every call
  int code = 0;
};

struct Scenario {
  std::vector<Device> devices;
  std::uint64_t memory_bytes = 81559ULL << 20;
  int mps_enabled = -1;
  int mps_max_clients = -1;  // -1 = no limit
  int contexts_mib = -1;     // -1 = no limit
  std::vector<Rule> returns;
  std::map<std::string, int> hang_ms;
  std::map<std::string, bool> crashes;
};

struct State {
  std::mutex mutex;
  Scenario scenario;
  bool initialised = false;
  std::map<std::string, int> calls;
  std::map<std::uint64_t, std::size_t> allocations;
  std::map<int, int> retained;
  std::string module;
};

// The one state of the process, as the real library has one.
State& state();

// The scenario in the file that FAKE_CUDA_SCENARIO names; a line that cannot be read ends the process.
Scenario read_scenario();

// What the scenario says about this call: a code to return at once, or 0 to go on. Hangs and crashes are played here.
int scripted(const char* call);

// Device memory of `count` items from `address`, or nullptr where no allocation holds it.
template <class T>
T* device_memory(std::uint64_t address, std::uint64_t count) {
  State& s = state();
  auto after = s.allocations.upper_bound(address);
  if (after == s.allocations.begin()) return nullptr;
  const auto& [base, bytes] = *std::prev(after);
  return address + count * sizeof(T) <= base + bytes ? reinterpret_cast<T*>(address) : nullptr;
}

}  // namespace fake_cuda
