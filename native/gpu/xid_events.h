// The Xid errors that the driver reports of a device between two moments, by an NVML event set.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gpu/gpu_sample.h"
#include "gpu/nvml.h"

namespace mpsbench {

// A device in trouble may report without end; what is beyond says nothing new.
constexpr std::size_t kMostXids = 256;

// Numbers as the driver gave them, in order; at most kMostXids.
using Xids = std::vector<std::uint64_t>;

// Thread: any, one at a time. Every function calls into the driver.
class XidEvents {
 public:
  // Registers: what was reported earlier is not told. `device` is an index into gpu->devices(). What stands in the way
  // is told by take().
  static std::shared_ptr<XidEvents> begin(std::shared_ptr<const Nvml> gpu, std::size_t device);

  XidEvents(const XidEvents&) = delete;
  XidEvents& operator=(const XidEvents&) = delete;
  // Gives the event set back.
  ~XidEvents();

  // Those since begin() or the last call, without waiting for more.
  [[nodiscard]] Reading<Xids> take();

 private:
  XidEvents(std::shared_ptr<const Nvml> gpu, std::size_t device);
  [[nodiscard]] Reading<bool> watch();
  [[nodiscard]] Reading<nvml::EventData> next() const;

  std::shared_ptr<const Nvml> gpu_;
  const Reading<nvml::Device>& handle_;
  nvml::EventSet set_ = nullptr;
  Reading<bool> watching_;
};

}  // namespace mpsbench
