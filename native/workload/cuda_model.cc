#include "workload/cuda_model.h"

#include <utility>

#include "workload/encoder_kernels_ptx.h"

namespace mpsbench {

using cuda::Driver;

DeviceResources::~DeviceResources() {
  const cuda::Entries& entries = driver_.entries();
  for (const cuda::DevicePointer allocation : allocations_) {
    static_cast<void>(Driver::call(entries.memory_free, allocation));
  }
  if (module_ != nullptr) static_cast<void>(Driver::call(entries.module_unload, module_));
  if (stream_ != nullptr) static_cast<void>(Driver::call(entries.stream_destroy, stream_));
}

Status DeviceResources::load_kernels() {
  const cuda::Entries& entries = driver_.entries();
  Status status = checked(Driver::call(entries.stream_create, &stream_, cuda::kStreamNonBlocking), "cuStreamCreate");
  if (!status.ok()) return status;
  const void* image = kEncoderKernelsPtx;
  status = checked(Driver::call(entries.module_load_data, &module_, image), "cuModuleLoadData");
  if (!status.ok()) return status;
  const std::pair<const char*, cuda::Function*> wanted[] = {
      {"mpsbench_fill", &kernels_.fill},
      {"mpsbench_embed", &kernels_.embed},
      {"mpsbench_product_64", &kernels_.product_64},
      {"mpsbench_product_128", &kernels_.product_128},
      {"mpsbench_normalise", &kernels_.normalise},
      {"mpsbench_pool", &kernels_.pool},
  };
  for (const auto& [name, kernel] : wanted) {
    status = checked(Driver::call(entries.module_get_function, kernel, module_, name), "cuModuleGetFunction");
    if (!status.ok()) return status;
  }
  return Ok{};
}

Result<cuda::DevicePointer> DeviceResources::allocate(std::size_t bytes) {
  cuda::DevicePointer pointer = 0;
  const Status status = checked(Driver::call(driver_.entries().memory_allocate, &pointer, bytes), "cuMemAlloc");
  if (!status.ok()) return status.error();
  allocations_.push_back(pointer);
  return pointer;
}

Status DeviceResources::checked(cuda::Code code, const char* call) const {
  if (code == cuda::kSuccess) return Ok{};
  return driver_.error(driver_.failure(code, call), subject_);
}

}  // namespace mpsbench
