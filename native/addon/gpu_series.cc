#include "addon/gpu_series.h"

#include <cstddef>
#include <vector>

#include "addon/columns.h"

namespace mpsbench {
namespace {

Napi::Object summary_object(Napi::Env env, const SamplingSummary& summary) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("periodNs", static_cast<double>(summary.period_ns));
  object.Set("ticks", static_cast<double>(summary.ticks));
  object.Set("lateTicks", static_cast<double>(summary.late_ticks));
  object.Set("missedTicks", static_cast<double>(summary.missed_ticks));
  object.Set("droppedRows", static_cast<double>(summary.dropped_rows));
  object.Set("maxReadNs", static_cast<double>(summary.max_read_ns));
  return object;
}

Napi::Object series_object(Napi::Env env, const SamplingRows& rows, std::size_t position) {
  const std::size_t devices = rows.device_uuids.size();
  const auto column = [&](double DeviceRow::* figure) {
    return float64_column(env, rows.tick_ns.size(),
                          [&](std::size_t tick) { return rows.device_rows[tick * devices + position].*figure; });
  };
  Napi::Object object = Napi::Object::New(env);
  object.Set("uuid", rows.device_uuids[position]);
  object.Set("memoryUsedBytes", column(&DeviceRow::memory_used_bytes));
  object.Set("gpuUtilizationPercent", column(&DeviceRow::gpu_utilization_percent));
  object.Set("memoryUtilizationPercent", column(&DeviceRow::memory_utilization_percent));
  object.Set("smClockMhz", column(&DeviceRow::sm_clock_mhz));
  object.Set("memoryClockMhz", column(&DeviceRow::memory_clock_mhz));
  object.Set("powerMilliwatts", column(&DeviceRow::power_milliwatts));
  object.Set("temperatureCelsius", column(&DeviceRow::temperature_celsius));
  object.Set("throttleReasonMask", column(&DeviceRow::throttle_reason_mask));
  return object;
}

Napi::Object process_series(Napi::Env env, const std::vector<ProcessRow>& rows) {
  const std::size_t count = rows.size();
  Napi::Object object = Napi::Object::New(env);
  object.Set("tick", uint32_column(env, count, [&rows](std::size_t row) { return rows[row].tick; }));
  object.Set("device", uint32_column(env, count, [&rows](std::size_t row) { return rows[row].device; }));
  object.Set("pid", uint32_column(env, count, [&rows](std::size_t row) { return rows[row].pid; }));
  object.Set("usedBytes", float64_column(env, count, [&rows](std::size_t row) { return rows[row].used_bytes; }));
  return object;
}

}  // namespace

Napi::Object to_js(Napi::Env env, const SamplingRows& rows, std::int64_t origin_ns) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("summary", summary_object(env, rows.summary));
  object.Set("offsetNs", float64_column(env, rows.tick_ns.size(),
                                        [&](std::size_t tick) { return rows.tick_ns[tick] - origin_ns; }));
  Napi::Array devices = Napi::Array::New(env, rows.device_uuids.size());
  for (std::uint32_t position = 0; position < rows.device_uuids.size(); ++position) {
    devices.Set(position, series_object(env, rows, position));
  }
  object.Set("devices", devices);
  object.Set("processes", process_series(env, rows.process_rows));
  return object;
}

}  // namespace mpsbench
