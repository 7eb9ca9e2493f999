// A libcuda.so.1 with no GPU behind it: device memory is host memory, and the encoder's kernels run as plain C++
// written here a second time, so that the addon's CUDA path can be run and its answers checked anywhere.
//
// FAKE_CUDA_SCENARIO names a file that is read at every cuInit; without it there is one device as on an H100. A line
// is:
//   device UUID SMS NAME…      one more device, such as: device GPU-…-000000000001 132 NVIDIA H100 80GB HBM3
//   no_devices                 cuDeviceGetCount gives 0
//   memory_mib N               device memory; cuMemAlloc beyond it gives 2 (default 81559)
//   mps_enabled 0|1            MPS_ENABLED; default: 1 if $CUDA_MPS_PIPE_DIRECTORY/control exists
//   return CALL CODE           every call of CALL gives CODE; for CALL@N only the Nth since cuInit (1 = first)
//   hang CALL MS               CALL waits that long before it goes on
//   crash CALL                 CALL ends the process with SIGABRT
//   # …                        nothing
// CALL is the name without version suffix: cuMemAlloc, cuLaunchKernel, cuDeviceGetAttribute.
//
// As on driver 580: under MPS the SM count shrinks with CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, rounded down to a multiple
// of two, and a process with a context is a client of test/fakes/fake-mps-control
// ($CUDA_MPS_PIPE_DIRECTORY/clients/<pid>). Built with FAKE_OLD_DRIVER it has no UUIDs and no error names and does not
// know MPS_ENABLED.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#define FAKE_API extern "C" __attribute__((visibility("default")))

namespace {

constexpr int kSuccess = 0;
constexpr int kInvalidValue = 1;
constexpr int kOutOfMemory = 2;
constexpr int kNotInitialised = 3;
constexpr int kInvalidDevice = 101;
constexpr int kInvalidContext = 201;
constexpr int kInvalidPtx = 218;
constexpr int kNotFound = 500;
constexpr int kIllegalAddress = 700;

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

State& state() {
  static State the_state;
  return the_state;
}

// The device whose context is current here, plus one; 0 = none.
thread_local int current_context = 0;

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
  if (hang_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(hang_ms));
  return code;
}

std::string pipe_path(const std::string& name) {
  const char* directory = std::getenv("CUDA_MPS_PIPE_DIRECTORY");
  return std::string(directory != nullptr ? directory : "/tmp/nvidia-mps") + "/" + name;
}

bool mps_enabled() {
  const int scripted_value = state().scenario.mps_enabled;
  if (scripted_value >= 0) return scripted_value != 0;
  return access(pipe_path("control").c_str(), F_OK) == 0;
}

int visible_multiprocessors(const Device& device) {
  const char* percentage = std::getenv("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE");
  if (percentage == nullptr || !mps_enabled()) return device.multiprocessors;
  const int share = static_cast<int>(device.multiprocessors * std::atof(percentage) / 100.0);
  return std::clamp(share / 2 * 2, 2, device.multiprocessors);
}

const Device* device_at(int ordinal) {
  const std::vector<Device>& devices = state().scenario.devices;
  return ordinal >= 0 && ordinal < static_cast<int>(devices.size()) ? &devices[static_cast<std::size_t>(ordinal)]
                                                                    : nullptr;
}

// Device memory of `count` items from `address`, or nullptr where no allocation holds it.
template <class T>
T* device_memory(std::uint64_t address, std::uint64_t count) {
  State& s = state();
  auto after = s.allocations.upper_bound(address);
  if (after == s.allocations.begin()) return nullptr;
  const auto& [base, bytes] = *std::prev(after);
  return address + count * sizeof(T) <= base + bytes ? reinterpret_cast<T*>(address) : nullptr;
}

// The parameters of a launch, as the driver gets them: an array of pointers to the values.
struct Parameters {
  void** values;

  template <class T>
  T get(int index) const {
    T value;
    std::memcpy(&value, values[index], sizeof value);
    return value;
  }
};

struct Launch {
  unsigned grid_x;
  unsigned grid_y;
  unsigned block_x;
  Parameters parameters;
};

// Written from the words of native/workload/encoder.h, not from its code.
float draw(std::uint64_t key, std::uint64_t index) {
  std::uint64_t z = key + 0x9e3779b97f4a7c15ULL * (index + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  z ^= z >> 31;
  return static_cast<float>(static_cast<double>(z >> 40) / 8388608.0 - 1.0);
}

std::uint64_t scramble(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

int run_fill(const Launch& launch) {
  const auto count = launch.parameters.get<std::uint64_t>(1);
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), count);
  if (out == nullptr) return kIllegalAddress;
  const auto key = launch.parameters.get<std::uint64_t>(2);
  const auto scale = launch.parameters.get<float>(3);
  for (std::uint64_t i = 0; i < count; ++i) out[i] = draw(key, i) * scale;
  return kSuccess;
}

int run_embed(const Launch& launch) {
  const auto per_request = launch.parameters.get<std::uint64_t>(2);
  const std::uint64_t requests = launch.grid_y;
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), requests * per_request);
  const auto* seeds = device_memory<std::uint64_t>(launch.parameters.get<std::uint64_t>(1), requests);
  if (out == nullptr || seeds == nullptr) return kIllegalAddress;
  const auto model_key = launch.parameters.get<std::uint64_t>(3);
  const auto scale = launch.parameters.get<float>(4);
  // A grid too small for the row would leave the rest unwritten, as on a GPU.
  const std::uint64_t reached = std::min(per_request, std::uint64_t{launch.grid_x} * launch.block_x);
  for (std::uint64_t request = 0; request < requests; ++request) {
    const std::uint64_t key = scramble(scramble(model_key) + 0x9e3779b97f4a7c15ULL * (seeds[request] + 1));
    for (std::uint64_t i = 0; i < reached; ++i) out[request * per_request + i] = draw(key, i) * scale;
  }
  return kSuccess;
}

float gelu(float x) {
  const double cubic = 0.7978845608028654 * (double{x} + 0.044715 * double{x} * x * x);
  return static_cast<float>(0.5 * double{x} * (1.0 + std::tanh(cubic)));
}

int run_product(const Launch& launch, std::uint64_t tile_rows) {
  const auto columns = static_cast<std::uint64_t>(launch.parameters.get<int>(5));
  const auto depth = static_cast<std::uint64_t>(launch.parameters.get<int>(6));
  const std::uint64_t rows = launch.grid_y * tile_rows;
  const auto residual_address = launch.parameters.get<std::uint64_t>(4);
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), rows * columns);
  const auto* activations = device_memory<float>(launch.parameters.get<std::uint64_t>(1), rows * depth);
  const auto* weights = device_memory<float>(launch.parameters.get<std::uint64_t>(2), depth * columns);
  const auto* bias = device_memory<float>(launch.parameters.get<std::uint64_t>(3), columns);
  const auto* residual = residual_address == 0 ? nullptr : device_memory<float>(residual_address, rows * columns);
  if (out == nullptr || activations == nullptr || weights == nullptr || bias == nullptr) return kIllegalAddress;
  if (residual_address != 0 && residual == nullptr) return kIllegalAddress;
  const std::uint64_t reached = std::min(columns, std::uint64_t{launch.grid_x} * 64);
  std::vector<float> sums(reached);
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (std::uint64_t k = 0; k < depth; ++k) {
      const float activation = activations[row * depth + k];
      for (std::uint64_t n = 0; n < reached; ++n) sums[n] += activation * weights[k * columns + n];
    }
    for (std::uint64_t n = 0; n < reached; ++n) {
      float y = sums[n] + bias[n];
      if (launch.parameters.get<int>(7) != 0) y = gelu(y);
      out[row * columns + n] = residual == nullptr ? y : residual[row * columns + n] + y;
    }
  }
  return kSuccess;
}

int run_normalise(const Launch& launch) {
  const auto hidden = static_cast<std::uint64_t>(launch.parameters.get<int>(1));
  float* rows = device_memory<float>(launch.parameters.get<std::uint64_t>(0), launch.grid_x * hidden);
  if (rows == nullptr) return kIllegalAddress;
  for (std::uint64_t r = 0; r < launch.grid_x; ++r) {
    float* row = rows + r * hidden;
    double mean = 0;
    double variance = 0;
    for (std::uint64_t i = 0; i < hidden; ++i) mean += double{row[i]} / static_cast<double>(hidden);
    for (std::uint64_t i = 0; i < hidden; ++i) {
      variance += (double{row[i]} - mean) * (double{row[i]} - mean) / static_cast<double>(hidden);
    }
    for (std::uint64_t i = 0; i < hidden; ++i) {
      row[i] = static_cast<float>((double{row[i]} - mean) / std::sqrt(variance + 1e-5));
    }
  }
  return kSuccess;
}

int run_pool(const Launch& launch) {
  const auto sequence = static_cast<std::uint64_t>(launch.parameters.get<int>(2));
  const auto hidden = static_cast<std::uint64_t>(launch.parameters.get<int>(3));
  const std::uint64_t requests = launch.grid_y;
  float* out = device_memory<float>(launch.parameters.get<std::uint64_t>(0), requests * hidden);
  const auto* rows = device_memory<float>(launch.parameters.get<std::uint64_t>(1), requests * sequence * hidden);
  if (out == nullptr || rows == nullptr) return kIllegalAddress;
  const std::uint64_t reached = std::min(hidden, std::uint64_t{launch.grid_x} * launch.block_x);
  for (std::uint64_t request = 0; request < requests; ++request) {
    for (std::uint64_t column = 0; column < reached; ++column) {
      double sum = 0;
      for (std::uint64_t t = 0; t < sequence; ++t) sum += double{rows[(request * sequence + t) * hidden + column]};
      out[request * hidden + column] = static_cast<float>(sum / static_cast<double>(sequence));
    }
  }
  return kSuccess;
}

struct Kernel {
  const char* name;
  int (*run)(const Launch&);
};

const Kernel kKernels[] = {
    {"mpsbench_fill", run_fill},
    {"mpsbench_embed", run_embed},
    {"mpsbench_product_64", [](const Launch& launch) { return run_product(launch, 64); }},
    {"mpsbench_product_128", [](const Launch& launch) { return run_product(launch, 128); }},
    {"mpsbench_normalise", run_normalise},
    {"mpsbench_pool", run_pool},
};

void* opaque(std::uintptr_t value) { return reinterpret_cast<void*>(value); }

}  // namespace

// ---- the driver API ----

FAKE_API int cuInit(unsigned) {
  {
    State& s = state();
    const std::lock_guard lock(s.mutex);
    s.scenario = read_scenario();
    s.calls.clear();
  }
  const int code = scripted("cuInit");
  if (code == kSuccess) state().initialised = true;
  return code;
}

FAKE_API int cuDeviceGetCount(int* count) {
  if (const int code = scripted("cuDeviceGetCount"); code != kSuccess) return code;
  *count = static_cast<int>(state().scenario.devices.size());
  return kSuccess;
}

FAKE_API int cuDeviceGet(int* device, int ordinal) {
  if (const int code = scripted("cuDeviceGet"); code != kSuccess) return code;
  *device = ordinal;
  return device_at(ordinal) != nullptr ? kSuccess : kInvalidDevice;
}

FAKE_API int cuDeviceGetName(char* name, int length, int device) {
  if (const int code = scripted("cuDeviceGetName"); code != kSuccess) return code;
  if (device_at(device) == nullptr) return kInvalidDevice;
  std::snprintf(name, static_cast<std::size_t>(length), "%s", device_at(device)->name.c_str());
  return kSuccess;
}

FAKE_API int cuDeviceGetAttribute(int* value, int attribute, int device) {
  if (const int code = scripted("cuDeviceGetAttribute"); code != kSuccess) return code;
  if (device_at(device) == nullptr) return kInvalidDevice;
  if (attribute == 16) {
    *value = visible_multiprocessors(*device_at(device));
    return kSuccess;
  }
#ifndef FAKE_OLD_DRIVER
  if (attribute == 133) {
    *value = mps_enabled() ? 1 : 0;
    return kSuccess;
  }
#endif
  return kInvalidValue;
}

#ifndef FAKE_OLD_DRIVER
FAKE_API int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  if (const int code = scripted("cuDeviceGetUuid"); code != kSuccess) return code;
  if (device_at(device) == nullptr) return kInvalidDevice;
  std::string digits;
  for (const char c : device_at(device)->uuid.substr(4)) {
    if (c != '-') digits += c;
  }
  for (std::size_t i = 0; i < 16; ++i) {
    uuid[i] = static_cast<unsigned char>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  }
  return kSuccess;
}

FAKE_API int cuGetErrorName(int code, const char** name) {
  static const std::map<int, const char*> names = {
      {1, "CUDA_ERROR_INVALID_VALUE"},          {2, "CUDA_ERROR_OUT_OF_MEMORY"},
      {46, "CUDA_ERROR_DEVICE_UNAVAILABLE"},    {100, "CUDA_ERROR_NO_DEVICE"},
      {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},      {719, "CUDA_ERROR_LAUNCH_FAILED"},
      {807, "CUDA_ERROR_MPS_SERVER_NOT_READY"}, {808, "CUDA_ERROR_MPS_MAX_CLIENTS_REACHED"},
  };
  const auto found = names.find(code);
  if (found == names.end()) return kInvalidValue;
  *name = found->second;
  return kSuccess;
}
#endif

FAKE_API int cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return scripted("cuDevicePrimaryCtxSetFlags"); }

FAKE_API int cuDevicePrimaryCtxRetain(void** context, int device) {
  if (const int code = scripted("cuDevicePrimaryCtxRetain"); code != kSuccess) return code;
  if (device_at(device) == nullptr) return kInvalidDevice;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.retained[device]++ == 0 && mps_enabled()) {
    const int file = open(pipe_path("clients/" + std::to_string(getpid())).c_str(), O_CREAT | O_WRONLY, 0600);
    if (file >= 0) close(file);
  }
  *context = opaque(static_cast<std::uintptr_t>(device) + 1);
  return kSuccess;
}

FAKE_API int cuDevicePrimaryCtxRelease_v2(int device) {
  if (const int code = scripted("cuDevicePrimaryCtxRelease"); code != kSuccess) return code;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.retained[device] == 0) return kInvalidContext;
  if (--s.retained[device] > 0) return kSuccess;
  unlink(pipe_path("clients/" + std::to_string(getpid())).c_str());
  return kSuccess;
}

FAKE_API int cuCtxSetCurrent(void* context) {
  if (const int code = scripted("cuCtxSetCurrent"); code != kSuccess) return code;
  current_context = static_cast<int>(reinterpret_cast<std::uintptr_t>(context));
  return kSuccess;
}

FAKE_API int cuModuleLoadData(void** module, const void* image) {
  if (const int code = scripted("cuModuleLoadData"); code != kSuccess) return code;
  if (current_context == 0) return kInvalidContext;
  state().module = static_cast<const char*>(image);
  if (state().module.find(".version") == std::string::npos) return kInvalidPtx;
  *module = opaque(1);
  return kSuccess;
}

FAKE_API int cuModuleUnload(void*) { return scripted("cuModuleUnload"); }

FAKE_API int cuModuleGetFunction(void** function, void*, const char* name) {
  if (const int code = scripted("cuModuleGetFunction"); code != kSuccess) return code;
  if (state().module.find(".visible .entry " + std::string(name) + "(") == std::string::npos) return kNotFound;
  for (const Kernel& kernel : kKernels) {
    if (std::strcmp(kernel.name, name) != 0) continue;
    *function = const_cast<Kernel*>(&kernel);
    return kSuccess;
  }
  return kNotFound;
}

FAKE_API int cuMemAlloc_v2(std::uint64_t* pointer, std::size_t bytes) {
  if (const int code = scripted("cuMemAlloc"); code != kSuccess) return code;
  if (current_context == 0) return kInvalidContext;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  std::uint64_t used = 0;
  for (const auto& [base, size] : s.allocations) used += size;
  if (used + bytes > s.scenario.memory_bytes) return kOutOfMemory;
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (memory == nullptr) return kOutOfMemory;
  *pointer = reinterpret_cast<std::uint64_t>(memory);
  // What was there before is anything but zero on a GPU.
  std::memset(memory, 0x5a, bytes);
  s.allocations[*pointer] = bytes;
  return kSuccess;
}

FAKE_API int cuMemFree_v2(std::uint64_t pointer) {
  if (const int code = scripted("cuMemFree"); code != kSuccess) return code;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (s.allocations.erase(pointer) == 0) return kInvalidValue;
  std::free(reinterpret_cast<void*>(pointer));
  return kSuccess;
}

FAKE_API int cuMemcpyHtoDAsync_v2(std::uint64_t to, const void* from, std::size_t bytes, void*) {
  if (const int code = scripted("cuMemcpyHtoDAsync"); code != kSuccess) return code;
  const std::lock_guard lock(state().mutex);
  if (current_context == 0) return kInvalidContext;
  auto* memory = device_memory<unsigned char>(to, bytes);
  if (memory == nullptr) return kInvalidValue;
  std::memcpy(memory, from, bytes);
  return kSuccess;
}

FAKE_API int cuMemcpyDtoH_v2(void* to, std::uint64_t from, std::size_t bytes) {
  if (const int code = scripted("cuMemcpyDtoH"); code != kSuccess) return code;
  const std::lock_guard lock(state().mutex);
  if (current_context == 0) return kInvalidContext;
  const auto* memory = device_memory<unsigned char>(from, bytes);
  if (memory == nullptr) return kInvalidValue;
  std::memcpy(to, memory, bytes);
  return kSuccess;
}

FAKE_API int cuStreamCreate(void** stream, unsigned) {
  if (const int code = scripted("cuStreamCreate"); code != kSuccess) return code;
  *stream = opaque(1);
  return current_context == 0 ? kInvalidContext : kSuccess;
}

FAKE_API int cuStreamDestroy_v2(void*) { return scripted("cuStreamDestroy"); }
FAKE_API int cuStreamSynchronize(void*) { return scripted("cuStreamSynchronize"); }

FAKE_API int cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned, unsigned block_x, unsigned,
                            unsigned, unsigned, void*, void** parameters, void**) {
  if (const int code = scripted("cuLaunchKernel"); code != kSuccess) return code;
  if (current_context == 0) return kInvalidContext;
  if (grid_x == 0 || grid_y == 0 || grid_y > 65535 || block_x == 0 || block_x > 1024) return kInvalidValue;
  const std::lock_guard lock(state().mutex);
  return static_cast<const Kernel*>(function)->run({grid_x, grid_y, block_x, {parameters}});
}

// ---- for tests: what is left, and how often a call was made since cuInit ----

FAKE_API int fake_cuda_live_allocations() { return static_cast<int>(state().allocations.size()); }

FAKE_API int fake_cuda_retained() {
  int sum = 0;
  for (const auto& [device, count] : state().retained) sum += count;
  return sum;
}

FAKE_API int fake_cuda_calls(const char* call) { return state().calls[call]; }
