// Answers a call of the fake libnvidia-ml as its script says.
#include "nvml_call.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "gpu/nvml_abi.h"

namespace fake_nvml {

namespace nvml = mpsbench::nvml;

void* handle_of(std::size_t gpu, std::uint32_t slots) { return reinterpret_cast<void*>(0x1000UL * slots + 1 + gpu); }

namespace {

void log_call(const Scenario& scenario, const char* symbol) {
  if (scenario.log_path.empty()) return;
  const int file = open(scenario.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const std::string line = std::string(symbol) + "\n";
  if (file < 0 || write(file, line.data(), line.size()) < 0) std::perror("fake NVML: log");
  if (file >= 0) close(file);
}

void find_device(Asked& asked, void* device) {
  const auto number = reinterpret_cast<std::uintptr_t>(device);
  const std::size_t index = number % 0x1000 - 1;
  if (index >= asked.scenario->gpus.size()) {
    asked.code = nvml::kInvalidArgument;
    return;
  }
  asked.gpu = &asked.scenario->gpus[index];
  if (number < 0x1000) return;
  const std::uint32_t slot = static_cast<std::uint32_t>(number / 0x1000) - 1;
  for (const Instance& instance : asked.gpu->instances) {
    if (instance.slot == slot) asked.instance = &instance;
  }
  if (asked.instance == nullptr) asked.code = nvml::kInvalidArgument;
}

// A test ends a hang by replacing the script, so that no test has to wait one out.
void hang(const char* symbol) {
  for (int slept_milliseconds = 0;; ++slept_milliseconds) {
    const auto scenario = fake_nvml::current_scenario();
    const auto found = scenario->hang_milliseconds.find(symbol);
    if (found == scenario->hang_milliseconds.end() || slept_milliseconds >= found->second) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

Asked enter(const char* symbol, void* device, bool about_device, bool started) {
  Asked asked{fake_nvml::current_scenario()};
  log_call(*asked.scenario, symbol);
  hang(symbol);
  if (!started) {
    asked.code = nvml::kUninitialized;
    return asked;
  }
  if (about_device) find_device(asked, device);
  if (const auto code = asked.scenario->returns.find(symbol); code != asked.scenario->returns.end()) {
    asked.code = code->second;
  }
  if (asked.gpu == nullptr) return asked;
  const auto& returns = asked.instance == nullptr ? asked.gpu->returns : asked.instance->returns;
  if (const auto code = returns.find(symbol); code != returns.end()) asked.code = code->second;
  return asked;
}

}  // namespace fake_nvml
