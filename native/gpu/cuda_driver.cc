#include "gpu/cuda_driver.h"

#include <dlfcn.h>

#include <utility>

#include "gpu/cuda_errors.h"

namespace mpsbench::cuda {
namespace {

// The newest form of each call that this tool knows, then older ones of the same signature.
template <class Function>
void resolve(const SharedLibrary& library, Function& entry, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (entry == nullptr) entry = library.symbol<Function>(name);
  }
}

Entries resolve_all(const SharedLibrary& library) {
  Entries entries;
  resolve(library, entries.init, {"cuInit"});
  resolve(library, entries.get_error_name, {"cuGetErrorName"});
  resolve(library, entries.device_get_count, {"cuDeviceGetCount"});
  resolve(library, entries.device_get, {"cuDeviceGet"});
  // _v2 gives the UUID of the MIG device where there is one.
  resolve(library, entries.device_get_uuid, {"cuDeviceGetUuid_v2", "cuDeviceGetUuid"});
  resolve(library, entries.device_get_attribute, {"cuDeviceGetAttribute"});
  resolve(library, entries.primary_context_set_flags, {"cuDevicePrimaryCtxSetFlags_v2", "cuDevicePrimaryCtxSetFlags"});
  resolve(library, entries.primary_context_retain, {"cuDevicePrimaryCtxRetain"});
  resolve(library, entries.primary_context_release, {"cuDevicePrimaryCtxRelease_v2", "cuDevicePrimaryCtxRelease"});
  resolve(library, entries.context_set_current, {"cuCtxSetCurrent"});
  resolve(library, entries.module_load_data, {"cuModuleLoadData"});
  resolve(library, entries.module_unload, {"cuModuleUnload"});
  resolve(library, entries.module_get_function, {"cuModuleGetFunction"});
  resolve(library, entries.memory_allocate, {"cuMemAlloc_v2"});
  resolve(library, entries.memory_free, {"cuMemFree_v2"});
  resolve(library, entries.copy_to_device_async, {"cuMemcpyHtoDAsync_v2"});
  resolve(library, entries.copy_to_host, {"cuMemcpyDtoH_v2"});
  resolve(library, entries.stream_create, {"cuStreamCreate"});
  resolve(library, entries.stream_destroy, {"cuStreamDestroy_v2"});
  resolve(library, entries.stream_synchronize, {"cuStreamSynchronize"});
  resolve(library, entries.launch_kernel, {"cuLaunchKernel"});
  return entries;
}

// What identifies a device, without "GPU-" or "MIG-".
std::string_view bare_uuid(std::string_view uuid) {
  constexpr std::size_t kLength = 36;
  return uuid.size() > kLength ? uuid.substr(uuid.size() - kLength) : uuid;
}

}  // namespace

Result<Driver> Driver::open(const std::optional<std::string>& path) {
  const std::vector<std::string> names =
      path ? std::vector<std::string>{*path} : std::vector<std::string>{"libcuda.so.1", "libcuda.so"};
  Result<SharedLibrary> library = SharedLibrary::open(names, "CUDA_LIBRARY_MISSING");
  if (!library.ok()) {
    return Error{"CUDA_LIBRARY_MISSING",
                 "the CUDA driver library could not be opened: " + library.error().detail +
                     "; install the NVIDIA driver, or name its libcuda.so.1",
                 0};
  }
  // The driver starts threads of its own that outlive a context; unmapping their code under them would crash.
  dlopen(library.value().path().c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  return Driver(std::move(library.value()));
}

Driver::Driver(SharedLibrary library) : library_(std::move(library)), entries_(resolve_all(library_)) {}

std::string Driver::error_name(Code code) const {
  const char* name = nullptr;
  if (call(entries_.get_error_name, code, &name) == kSuccess && name != nullptr) return name;
  if (const std::string_view known = known_error_name(code); !known.empty()) return std::string(known);
  return "CUDA error";
}

CallFailure Driver::failure(Code code, const char* call) const { return {code, error_name(code), call}; }

Error Driver::error(const CallFailure& failure, const std::string& subject) const {
  return Error{"CUDA_CALL_FAILED",
               failure.call + " failed on " + subject + ": " + failure.name + " (" + std::to_string(failure.code) +
                   "); " + std::string(error_advice(failure.code)),
               failure.code};
}

std::optional<CallFailure> Driver::initialise() const {
  const Code result = call(entries_.init, 0U);
  if (result == kSuccess) return std::nullopt;
  return failure(result, "cuInit");
}

std::optional<CallFailure> Driver::list_devices(std::vector<VisibleDevice>& devices) const {
  int count = 0;
  if (const Code result = call(entries_.device_get_count, &count); result != kSuccess) {
    return failure(result, "cuDeviceGetCount");
  }
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    VisibleDevice device;
    if (const Code result = call(entries_.device_get, &device.handle, ordinal); result != kSuccess) {
      return failure(result, "cuDeviceGet");
    }
    Uuid uuid{};
    if (call(entries_.device_get_uuid, &uuid, device.handle) == kSuccess) device.uuid = uuid_text(uuid);
    device.label = device.uuid.value_or("GPU " + std::to_string(ordinal));
    devices.push_back(std::move(device));
  }
  if (devices.empty()) return failure(kNoDevice, "cuDeviceGetCount");
  return std::nullopt;
}

AttributeReading Driver::attribute(int attribute, Device device) const {
  int value = 0;
  const Code result = call(entries_.device_get_attribute, &value, attribute, device);
  if (result != kSuccess) return {std::nullopt, result};
  return {value, kSuccess};
}

Result<VisibleDevice> choose_device(const std::vector<VisibleDevice>& devices, const std::optional<std::string>& uuid) {
  std::string visible;
  for (const VisibleDevice& device : devices) {
    if (!uuid || (device.uuid && bare_uuid(*device.uuid) == bare_uuid(*uuid))) return device;
    visible += (visible.empty() ? "" : ", ") + device.label;
  }
  return Error{"CUDA_CALL_FAILED",
               "no visible GPU has the UUID " + uuid.value_or("asked for") + " (visible: " +
                   (visible.empty() ? "none" : visible) + "); check CUDA_VISIBLE_DEVICES and nvidia-smi -L",
               kInvalidDevice};
}

std::string uuid_text(const Uuid& uuid) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[uuid.bytes[i] >> 4];
    text += kDigits[uuid.bytes[i] & 15];
  }
  return text;
}

}  // namespace mpsbench::cuda
