#include "addon/gpu_snapshot.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/nullable.h"
#include "gpu/nvml_return.h"

namespace mpsbench {
namespace {

// An object of nullable fields, with the reasons of those that are null in a record beside it. prefix: what stands
// before the field names in that record ("memory.").
class Fields {
 public:
  Fields(Napi::Env env, Napi::Object unavailable, std::string prefix = "")
      : env_(env), object_(Napi::Object::New(env)), unavailable_(unavailable), prefix_(std::move(prefix)) {}

  template <class T>
  void set(const char* name, const Reading<T>& reading) {
    if (reading.known()) {
      object_.Set(name, value_of(reading.value()));
    } else {
      object_.Set(name, env_.Null());
      why(name, reading.why());
    }
  }

  void plain(const char* name, const Napi::Value& value) { object_.Set(name, value); }

  void why(const std::string& name, const Unavailable& why) {
    Napi::Object entry = Napi::Object::New(env_);
    entry.Set("reason", name_of(why.reason));
    entry.Set("source", why.source);
    entry.Set("nativeCode", nullable(env_, why.native_code));
    unavailable_.Set(prefix_ + name, entry);
  }

  [[nodiscard]] Fields nested(const std::string& name) const { return {env_, unavailable_, prefix_ + name + "."}; }
  [[nodiscard]] Napi::Object object() const { return object_; }
  [[nodiscard]] Napi::Env env() const { return env_; }

 private:
  [[nodiscard]] Napi::Value value_of(const std::string& text) const { return Napi::String::New(env_, text); }
  [[nodiscard]] Napi::Value value_of(bool flag) const { return Napi::Boolean::New(env_, flag); }
  [[nodiscard]] Napi::Value value_of(const Xids& xids) const {
    Napi::Array array = Napi::Array::New(env_, xids.size());
    for (std::uint32_t at = 0; at < xids.size(); ++at) array.Set(at, value_of(xids[at]));
    return array;
  }
  template <class Number>
  [[nodiscard]] Napi::Value value_of(Number number) const {
    return Napi::Number::New(env_, static_cast<double>(number));
  }

  Napi::Env env_;
  Napi::Object object_;
  Napi::Object unavailable_;
  std::string prefix_;
};

Napi::Object memory_object(Fields fields, const MemoryReading& memory) {
  fields.set("totalBytes", memory.total_bytes);
  fields.set("usedBytes", memory.used_bytes);
  fields.set("freeBytes", memory.free_bytes);
  fields.set("reservedBytes", memory.reserved_bytes);
  if (memory.source != nullptr) {
    fields.plain("source", Napi::String::New(fields.env(), memory.source));
  } else {
    fields.set("source", Reading<std::string>(memory.total_bytes.why()));
  }
  return fields.object();
}

Napi::Array mig_array(const Fields& device, const std::vector<MigInstanceReading>& instances) {
  Napi::Array array = Napi::Array::New(device.env(), instances.size());
  for (std::uint32_t position = 0; position < instances.size(); ++position) {
    const MigInstanceReading& instance = instances[position];
    Fields fields = device.nested("migInstances." + std::to_string(position));
    fields.plain("index", Napi::Number::New(device.env(), instance.index));
    fields.set("uuid", instance.uuid);
    fields.set("gpuInstanceId", instance.gpu_instance_id);
    fields.set("computeInstanceId", instance.compute_instance_id);
    fields.plain("memory", memory_object(fields.nested("memory"), instance.memory));
    array.Set(position, fields.object());
  }
  return array;
}

constexpr std::array<const char*, kProcessListCount> kListNames = {"compute", "graphics", "mps"};

Napi::Object process_object(Napi::Env env, const ProcessReading& process) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", process.entry.pid);
  object.Set("name", nullable(env, process.name));
  object.Set("usedBytes", nullable(env, process.entry.used_bytes));
  Napi::Array lists = Napi::Array::New(env);
  for (std::size_t list = 0; list < kProcessListCount; ++list) {
    if ((process.lists >> list & 1U) != 0) lists.Set(lists.Length(), kListNames[list]);
  }
  object.Set("lists", lists);
  object.Set("gpuInstanceId", nullable(env, process.entry.gpu_instance_id));
  object.Set("computeInstanceId", nullable(env, process.entry.compute_instance_id));
  return object;
}

void set_processes(Fields& device, const ProcessesReading& processes) {
  for (std::size_t list = 0; list < kProcessListCount; ++list) {
    if (processes.list_failures[list]) {
      device.why(std::string("processes.") + kListNames[list], *processes.list_failures[list]);
    }
  }
  if (!processes.rows) {
    device.plain("processes", device.env().Null());
    device.why("processes", processes.list_failures[0].value_or(Unavailable{}));
    return;
  }
  if (processes.used_bytes_failure) device.why("processes.usedBytes", *processes.used_bytes_failure);
  if (processes.name_failure) device.why("processes.name", *processes.name_failure);
  Napi::Array rows = Napi::Array::New(device.env(), processes.rows->size());
  for (std::uint32_t row = 0; row < processes.rows->size(); ++row) {
    rows.Set(row, process_object(device.env(), (*processes.rows)[row]));
  }
  device.plain("processes", rows);
}

// By bit of the mask.
constexpr std::array<const char*, 9> kThrottleReasons = {"gpu-idle",
                                                         "applications-clocks-setting",
                                                         "sw-power-cap",
                                                         "hw-slowdown",
                                                         "sync-boost",
                                                         "sw-thermal-slowdown",
                                                         "hw-thermal-slowdown",
                                                         "hw-power-brake-slowdown",
                                                         "display-clock-setting"};

void set_throttle_reasons(Fields& device, const Reading<std::uint64_t>& mask) {
  if (!mask.known()) return device.set("throttleReasons", mask);
  Napi::Array names = Napi::Array::New(device.env());
  for (std::size_t bit = 0; bit < 64; ++bit) {
    if ((mask.value() >> bit & 1U) == 0) continue;
    const std::string name = bit < kThrottleReasons.size() ? kThrottleReasons[bit] : "bit-" + std::to_string(bit);
    names.Set(names.Length(), name);
  }
  device.plain("throttleReasons", names);
}

void set_identity(Fields& fields, const DeviceReading& device) {
  fields.plain("index", Napi::Number::New(fields.env(), device.index));
  fields.set("uuid", device.uuid);
  fields.set("name", device.name);
  fields.set("pciBusId", device.pci_bus_id);
  fields.set("architecture", device.architecture);
  fields.set("computeCapability", device.compute_capability);
  fields.set("powerLimitMilliwatts", device.power_limit_milliwatts);
  fields.set("maxSmClockMhz", device.max_sm_clock_mhz);
  fields.set("maxMemoryClockMhz", device.max_memory_clock_mhz);
  fields.set("virtualization", device.virtualization);
}

Napi::Object device_object(Napi::Env env, const DeviceReading& device) {
  const Napi::Object unavailable = Napi::Object::New(env);
  Fields fields(env, unavailable);
  set_identity(fields, device);
  fields.set("computeMode", device.compute_mode);
  fields.set("migEnabled", device.mig_enabled);
  fields.plain("migInstances", mig_array(fields, device.mig_instances));
  if (device.mig_instances_failure) fields.why("migInstances", *device.mig_instances_failure);
  fields.plain("memory", memory_object(fields.nested("memory"), device.memory));
  fields.set("gpuUtilizationPercent", device.gpu_utilization_percent);
  fields.set("memoryUtilizationPercent", device.memory_utilization_percent);
  fields.set("smClockMhz", device.sm_clock_mhz);
  fields.set("memoryClockMhz", device.memory_clock_mhz);
  fields.set("graphicsClockMhz", device.graphics_clock_mhz);
  set_throttle_reasons(fields, device.throttle_reason_mask);
  fields.set("powerMilliwatts", device.power_milliwatts);
  fields.set("energyMillijoules", device.energy_millijoules);
  fields.set("temperatureCelsius", device.temperature_celsius);
  fields.set("eccCorrectedErrors", device.ecc_corrected_errors);
  fields.set("eccUncorrectedErrors", device.ecc_uncorrected_errors);
  set_processes(fields, device.processes);
  fields.plain("unavailable", unavailable);
  return fields.object();
}

}  // namespace

Napi::Object to_js(Napi::Env env, const GpuSnapshot& snapshot, std::int64_t origin_ns) {
  const Napi::Object unavailable = Napi::Object::New(env);
  Fields fields(env, unavailable);
  fields.plain("offsetNs", Napi::Number::New(env, static_cast<double>(snapshot.started_ns - origin_ns)));
  fields.set("driverVersion", snapshot.driver_version);
  fields.set("nvmlVersion", snapshot.nvml_version);
  fields.set("cudaDriverVersion", snapshot.cuda_driver_version);
  fields.plain("nvmlPath", Napi::String::New(env, snapshot.nvml_path));
  Napi::Array devices = Napi::Array::New(env, snapshot.devices.size());
  for (std::uint32_t position = 0; position < snapshot.devices.size(); ++position) {
    devices.Set(position, device_object(env, snapshot.devices[position]));
  }
  fields.plain("devices", devices);
  fields.plain("unavailable", unavailable);
  return fields.object();
}

Napi::Object to_js(Napi::Env env, const Reading<double>& sm_activity_percent) {
  const Napi::Object unavailable = Napi::Object::New(env);
  Fields fields(env, unavailable);
  fields.set("smActivityPercent", sm_activity_percent);
  fields.plain("unavailable", unavailable);
  return fields.object();
}

Napi::Object to_js(Napi::Env env, const Reading<Xids>& xids) {
  const Napi::Object unavailable = Napi::Object::New(env);
  Fields fields(env, unavailable);
  fields.set("xids", xids);
  fields.plain("unavailable", unavailable);
  return fields.object();
}

}  // namespace mpsbench
