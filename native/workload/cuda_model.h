// What a CUDA encoder holds on its device: stream, kernels and memory. Thread: the one that made it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/cuda_driver.h"

namespace mpsbench {

// Kernels of encoder_kernels.cu.
struct EncoderKernels {
  cuda::Function fill = nullptr;
  cuda::Function embed = nullptr;
  cuda::Function product_64 = nullptr;
  cuda::Function product_128 = nullptr;
  cuda::Function normalise = nullptr;
  cuda::Function pool = nullptr;
};

// Needs the context current on the calling thread, from the first call until the destructor.
class DeviceResources {
 public:
  // `subject` is how errors name the device; `driver` outlives this.
  DeviceResources(const cuda::Driver& driver, std::string subject) : driver_(driver), subject_(std::move(subject)) {}
  DeviceResources(const DeviceResources&) = delete;
  DeviceResources& operator=(const DeviceResources&) = delete;
  ~DeviceResources();

  // Makes the stream and has the driver compile the kernels.
  Status load_kernels();
  Result<cuda::DevicePointer> allocate(std::size_t bytes);

  [[nodiscard]] const EncoderKernels& kernels() const { return kernels_; }
  [[nodiscard]] cuda::Stream stream() const { return stream_; }
  // Ok, or the error of a failed call.
  [[nodiscard]] Status checked(cuda::Code code, const char* call) const;

 private:
  const cuda::Driver& driver_;
  std::string subject_;
  cuda::Stream stream_ = nullptr;
  cuda::Module module_ = nullptr;
  EncoderKernels kernels_;
  std::vector<cuda::DevicePointer> allocations_;
};

}  // namespace mpsbench
