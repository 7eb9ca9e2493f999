// One reading of everything that NVML tells about this host. Thread: any. Calls into the driver, which may hang.
#pragma once

#include "gpu/gpu_sample.h"
#include "gpu/nvml.h"

namespace mpsbench {

// with_energy: also read the total energy counter (3.4 ms a device on an H100).
[[nodiscard]] GpuSnapshot read_snapshot(const Nvml& gpu, bool with_energy);

}  // namespace mpsbench
