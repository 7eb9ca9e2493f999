// The event sets of the fake libnvidia-ml: Xid errors, as the script tells of them one after the other.
#include <cstddef>

#include "gpu/nvml_abi.h"
#include "nvml_call.h"

#define FAKE_API extern "C" __attribute__((visibility("default"))) int

namespace {

namespace nvml = mpsbench::nvml;
using fake_nvml::Asked;
using fake_nvml::enter;

// A set with one device at the most, which is all that the project registers.
struct FakeSet {
  bool registered = false;
  std::size_t gpu = 0;
  std::size_t delivered = 0;
};

int wait_for_event(const char* symbol, void* set, nvml::EventData* out) {
  const Asked asked = enter(symbol, nullptr, false, true);
  if (asked.code != nvml::kSuccess) return asked.code;
  auto& fake = *static_cast<FakeSet*>(set);
  const auto& gpus = asked.scenario->gpus;
  if (!fake.registered || fake.gpu >= gpus.size() || fake.delivered >= gpus[fake.gpu].xids.size()) {
    return nvml::kTimeout;
  }
  out->device = fake_nvml::handle_of(fake.gpu, 0);
  out->type = nvml::kEventXidCritical;
  out->data = gpus[fake.gpu].xids[fake.delivered++];
  return nvml::kSuccess;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): these are NVIDIA's names.
FAKE_API nvmlEventSetCreate(void** out) {
  const Asked asked = enter("nvmlEventSetCreate", nullptr, false, true);
  if (asked.code == nvml::kSuccess) *out = new FakeSet();
  return asked.code;
}
FAKE_API nvmlDeviceRegisterEvents(void* device, unsigned long long types, void* set) {
  const Asked asked = enter("nvmlDeviceRegisterEvents", device, true, true);
  if (asked.code != nvml::kSuccess) return asked.code;
  if (types != nvml::kEventXidCritical) return nvml::kNotSupported;
  const auto gpu = static_cast<std::size_t>(asked.gpu - asked.scenario->gpus.data());
  *static_cast<FakeSet*>(set) = {true, gpu, asked.gpu->xids.size()};
  return nvml::kSuccess;
}
FAKE_API nvmlEventSetWait(void* set, nvml::EventData* out, unsigned) {
  return wait_for_event("nvmlEventSetWait", set, out);
}
FAKE_API nvmlEventSetFree(void* set) {
  const Asked asked = enter("nvmlEventSetFree", nullptr, false, true);
  delete static_cast<FakeSet*>(set);
  return asked.code;
}
#if !defined(FAKE_OLD_DRIVER)
FAKE_API nvmlEventSetWait_v2(void* set, nvml::EventData* out, unsigned) {
  return wait_for_event("nvmlEventSetWait_v2", set, out);
}
#endif
// NOLINTEND(readability-identifier-naming)
