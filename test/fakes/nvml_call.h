// One call of the fake libnvidia-ml: what it is about and how the script wants it answered.
#pragma once

#include <atomic>
#include <memory>

#include "nvml_scenario.h"

namespace fake_nvml {

// Handles are numbers: 1 + GPU, and for a MIG instance 0x1000 * (1 + slot) + 1 + GPU.
void* handle_of(std::size_t gpu, std::uint32_t slots);

// One call: what it is about, and the code with which it must answer if that is not success.
struct Asked {
  std::shared_ptr<const Scenario> scenario;
  const Gpu* gpu = nullptr;
  const Instance* instance = nullptr;
  int code = 0;
};

// Logs the call and hangs as the script says. started: whether NVML is, else the answer is UNINITIALIZED.
Asked enter(const char* symbol, void* device, bool about_device, bool started);

}  // namespace fake_nvml
