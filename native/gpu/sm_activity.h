// How busy the SMs of a device were between two moments, by the driver's own counters (GPM: Hopper and later).
#pragma once

#include <cstdint>
#include <memory>

#include "gpu/gpu_sample.h"
#include "gpu/nvml.h"

namespace mpsbench {

// Thread: any, one at a time. Every function calls into the driver.
class SmActivity {
 public:
  // Takes the first sample. `device` is an index into gpu->devices(). What stands in the way is told by end().
  static std::shared_ptr<SmActivity> begin(std::shared_ptr<const Nvml> gpu, std::size_t device);

  SmActivity(const SmActivity&) = delete;
  SmActivity& operator=(const SmActivity&) = delete;
  // Gives the samples back.
  ~SmActivity();

  // Takes the second sample. Mean share of the SMs that had work, 0 to 100. Another call measures from the same begin.
  [[nodiscard]] Reading<double> end();

 private:
  SmActivity(std::shared_ptr<const Nvml> gpu, std::size_t device);
  [[nodiscard]] Reading<bool> can_measure() const;
  [[nodiscard]] Reading<bool> take(nvml::GpmSample& sample) const;
  void free_sample(nvml::GpmSample sample) const;

  std::shared_ptr<const Nvml> gpu_;
  const Reading<nvml::Device>& handle_;
  nvml::GpmSample first_ = nullptr;
  nvml::GpmSample last_ = nullptr;
  Reading<bool> began_;
};

}  // namespace mpsbench
