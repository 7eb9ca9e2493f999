#include "gpu/cuda_context.h"

#include <utility>

#include "base/clock.h"

namespace mpsbench::cuda {
namespace {

MissingFact missing_attribute(const char* field, const char* source, Code result) {
  if (result == kSymbolMissing) return {field, "symbol-missing", source, std::nullopt};
  // What a driver answers that does not know the attribute yet.
  return {field, result == kInvalidValue ? "not-supported" : "error", source, result};
}

void say_not_read(DeviceFacts& facts, const std::string& call, Code result) {
  for (const char* field : {"deviceUuid", "multiprocessorCount", "mpsEnabled"}) {
    facts.missing.push_back({field, "error", call, result});
  }
}

void say_no_context(ContextReading& reading, const std::string& call, Code result) {
  reading.facts.missing.push_back({"contextCreationNs", "error", call, result});
}

}  // namespace

DeviceFacts read_device_facts(const Driver& driver, const VisibleDevice& device) {
  DeviceFacts facts;
  facts.uuid = device.uuid;
  if (!device.uuid) {
    const bool absent = driver.entries().device_get_uuid == nullptr;
    facts.missing.push_back({"deviceUuid", absent ? "symbol-missing" : "error", "cuDeviceGetUuid_v2", std::nullopt});
  }
  const AttributeReading count = driver.attribute(kAttributeMultiprocessorCount, device.handle);
  facts.multiprocessor_count = count.value;
  if (!count.value) {
    facts.missing.push_back(
        missing_attribute("multiprocessorCount", "cuDeviceGetAttribute(MULTIPROCESSOR_COUNT)", count.result));
  }
  const AttributeReading mps = driver.attribute(kAttributeMpsEnabled, device.handle);
  if (mps.value) {
    facts.mps_enabled = *mps.value != 0;
  } else {
    facts.missing.push_back(missing_attribute("mpsEnabled", "cuDeviceGetAttribute(MPS_ENABLED)", mps.result));
  }
  return facts;
}

std::optional<CallFailure> PrimaryContext::retain(const Driver& driver, Device device,
                                                  std::optional<PrimaryContext>& made) {
  const Entries& entries = driver.entries();
  // Refused only where the context is active already with other flags; then those stay and nothing is lost.
  static_cast<void>(Driver::call(entries.primary_context_set_flags, device, kContextBlockingSync));
  Context context = nullptr;
  const std::int64_t began_ns = now_ns();
  const Code retained = Driver::call(entries.primary_context_retain, &context, device);
  const std::int64_t took_ns = now_ns() - began_ns;
  if (retained != kSuccess) return driver.failure(retained, "cuDevicePrimaryCtxRetain");
  made.emplace(PrimaryContext(driver, device, context, took_ns));
  if (const Code result = made->make_current(); result != kSuccess) {
    made.reset();
    return driver.failure(result, "cuCtxSetCurrent");
  }
  return std::nullopt;
}

PrimaryContext::PrimaryContext(PrimaryContext&& other) noexcept
    : driver_(std::exchange(other.driver_, nullptr)),
      device_(other.device_),
      context_(other.context_),
      creation_ns_(other.creation_ns_) {}

PrimaryContext::~PrimaryContext() {
  if (driver_ == nullptr) return;
  static_cast<void>(Driver::call(driver_->entries().context_set_current, static_cast<Context>(nullptr)));
  static_cast<void>(Driver::call(driver_->entries().primary_context_release, device_));
}

Code PrimaryContext::make_current() const { return Driver::call(driver_->entries().context_set_current, context_); }

Result<ContextReading> read_context(const Driver& driver, const std::optional<std::string>& device_uuid,
                                    std::optional<PrimaryContext>& held) {
  ContextReading reading;
  std::vector<VisibleDevice> devices;
  reading.failure = driver.initialise();
  if (!reading.failure) reading.failure = driver.list_devices(devices);
  if (reading.failure) {
    say_not_read(reading.facts, reading.failure->call, reading.failure->code);
    say_no_context(reading, reading.failure->call, reading.failure->code);
    return reading;
  }
  Result<VisibleDevice> device = choose_device(devices, device_uuid);
  if (!device.ok()) return device.error();
  reading.facts = read_device_facts(driver, device.value());
  reading.failure = PrimaryContext::retain(driver, device.value().handle, held);
  if (reading.failure) {
    say_no_context(reading, reading.failure->call, reading.failure->code);
  } else {
    reading.context_creation_ns = held->creation_ns();
  }
  return reading;
}

}  // namespace mpsbench::cuda
