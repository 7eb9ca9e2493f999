// A libcuda.so.1 with no GPU behind it: device memory is host memory, and the encoder's kernels run as plain C++
// written here a second time, so that the addon's CUDA path can be run and its answers checked anywhere.
//
// FAKE_CUDA_SCENARIO names a file that is read at every cuInit; without it there is one device as on an H100. A line
// is:
//   device UUID SMS NAME…      one more device, such as: device GPU-…-000000000001 132 NVIDIA H100 80GB HBM3
//   no_devices                 cuDeviceGetCount gives 0
//   memory_mib N               device memory; cuMemAlloc beyond it gives 2 (default 81559)
//   mps_enabled 0|1            MPS_ENABLED; default: 1 if $CUDA_MPS_PIPE_DIRECTORY/control exists
//   mps_max_clients N          under MPS a context beyond the Nth process gives 808; default: no limit
//   contexts_mib N             a context that does not fit into N MiB beside those of $FAKE_GPU_RESIDENTS gives 2
//   return CALL CODE           every call of CALL gives CODE; for CALL@N only the Nth since cuInit (1 = first)
//   hang CALL MS               CALL waits that long before it goes on, or until the line is gone from the file
//   crash CALL                 CALL ends the process with SIGABRT
//   # …                        nothing
// CALL is the name without version suffix: cuMemAlloc, cuLaunchKernel, cuDeviceGetAttribute.
//
// As on driver 580: under MPS the SM count shrinks with CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, rounded down to a multiple
// of two, and a process with a context is a client of test/fakes/fake-mps-control
// ($CUDA_MPS_PIPE_DIRECTORY/clients/<pid>). Built with FAKE_OLD_DRIVER it has no UUIDs and no error names and does not
// know MPS_ENABLED.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cuda_kernels.h"
#include "cuda_state.h"

#define FAKE_API extern "C" __attribute__((visibility("default")))

using namespace fake_cuda;

namespace {

// The device whose context is current here, plus one; 0 = none.
thread_local int current_context = 0;

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

void* opaque(std::uintptr_t value) { return reinterpret_cast<void*>(value); }

// The file by which the fake NVML knows this process; empty where no test asks for that.
std::string resident_path() {
  const char* directory = std::getenv("FAKE_GPU_RESIDENTS");
  return directory == nullptr ? "" : std::string(directory) + "/" + std::to_string(getpid());
}

// Keeps other processes with this fake out of a directory's count, so that only the last of many is one too many.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ >= 0) flock(descriptor_, LOCK_EX);
  }
  ~DirectoryLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

// Makes this process a client of the daemon; false where that would be one too many.
bool attach() {
  const DirectoryLock lock(pipe_path("clients"));
  const std::string own = pipe_path("clients/" + std::to_string(getpid()));
  close(open(own.c_str(), O_CREAT | O_WRONLY, 0600));
  const int most = state().scenario.mps_max_clients;
  std::error_code failure;
  const std::filesystem::directory_iterator clients(pipe_path("clients"), failure);
  if (most < 0 || failure || std::distance(std::filesystem::begin(clients), std::filesystem::end(clients)) <= most)
    return true;
  unlink(own.c_str());
  return false;
}

// What the processes with a context hold, in MiB.
int residents_mib(const std::string& directory) {
  int sum = 0;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failure)) {
    int mib = 0;
    std::ifstream(entry.path()) >> mib;
    sum += mib;
  }
  return sum;
}

// A bare context's memory as measured on an H100 with driver 580: 518 MiB outside MPS, under it 28 MiB and 3.7 MiB
// for each SM that the client sees. False where it does not fit.
bool move_in(const Device& device) {
  if (resident_path().empty()) return true;
  const int mib = mps_enabled() ? static_cast<int>(28 + 3.7 * visible_multiprocessors(device)) : 518;
  const std::string directory = std::getenv("FAKE_GPU_RESIDENTS");
  const DirectoryLock lock(directory);
  const int most = state().scenario.contexts_mib;
  if (most >= 0 && residents_mib(directory) + mib > most) return false;
  const std::string unfinished = resident_path() + ".new";
  std::ofstream(unfinished) << mib << (mps_enabled() ? " cm" : " c") << " node\n";
  std::rename(unfinished.c_str(), resident_path().c_str());
  return true;
}

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
  if (s.retained[device] == 0) {
    if (mps_enabled() && !attach()) return kMaxClientsReached;
    if (!move_in(*device_at(device))) {
      unlink(pipe_path("clients/" + std::to_string(getpid())).c_str());
      return kOutOfMemory;
    }
  }
  ++s.retained[device];
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
  unlink(resident_path().c_str());
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
  const Kernel* kernel = find_kernel(name);
  *function = const_cast<Kernel*>(kernel);
  return kernel != nullptr ? kSuccess : kNotFound;
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
