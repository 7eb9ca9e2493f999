#include "gpu/sm_activity.h"

#include <cmath>
#include <utility>

namespace mpsbench {

std::shared_ptr<SmActivity> SmActivity::begin(std::shared_ptr<const Nvml> gpu, std::size_t device) {
  // The constructor is private, hence not make_shared.
  std::shared_ptr<SmActivity> window(new SmActivity(std::move(gpu), device));
  window->began_ = window->can_measure();
  if (window->began_.known()) window->began_ = window->take(window->first_);
  return window;
}

SmActivity::SmActivity(std::shared_ptr<const Nvml> gpu, std::size_t device)
    : gpu_(std::move(gpu)), handle_(gpu_->devices()[device].handle), began_(Unavailable{}) {}

SmActivity::~SmActivity() {
  free_sample(first_);
  free_sample(last_);
}

Reading<double> SmActivity::end() {
  if (!began_.known()) return began_.why();
  const Reading<bool> taken = take(last_);
  if (!taken.known()) return taken.why();
  return gpu_->read<double>(Call::kGpmMetrics, [this](const Symbol& symbol, double& value) {
    nvml::GpmMetricsGet asked{};
    asked.version = nvml::kGpmMetricsVersion;
    asked.count = 1;
    asked.first = first_;
    asked.last = last_;
    asked.metrics[0].id = nvml::kGpmSmUtilization;
    const nvml::Return code = symbol.as<nvml::Return (*)(nvml::GpmMetricsGet*)>()(&asked);
    if (code != nvml::kSuccess) return code;
    const nvml::GpmMetric& metric = asked.metrics[0];
    value = metric.value;
    // A figure that is none comes with success as well.
    if (metric.code == nvml::kSuccess && !std::isfinite(value)) return nvml::Return{nvml::kNoData};
    return metric.code;
  });
}

Reading<bool> SmActivity::can_measure() const {
  if (!handle_.known()) return handle_.why();
  const auto supported = gpu_->read<nvml::GpmSupport>(Call::kGpmSupport, [this](const Symbol& symbol, auto& value) {
    value.version = nvml::kGpmSupportVersion;
    return symbol.as<nvml::Return (*)(nvml::Device, nvml::GpmSupport*)>()(handle_.value(), &value);
  });
  return supported.as<bool>([](const nvml::GpmSupport& value) -> Reading<bool> {
    if (value.is_supported != 0) return true;
    return Unavailable{Reason::kNotSupported, NvmlSymbols::newest_name(Call::kGpmSupport), std::nullopt};
  });
}

// Allocates the sample the first time.
Reading<bool> SmActivity::take(nvml::GpmSample& sample) const {
  if (sample == nullptr) {
    const auto allocated = gpu_->read<nvml::GpmSample>(Call::kGpmSampleAlloc, [](const Symbol& symbol, auto& value) {
      return symbol.as<nvml::Return (*)(nvml::GpmSample*)>()(&value);
    });
    if (!allocated.known()) return allocated.why();
    sample = allocated.value();
  }
  return gpu_->read<bool>(Call::kGpmSampleGet, [this, &sample](const Symbol& symbol, bool& value) {
    value = true;
    return symbol.as<nvml::Return (*)(nvml::Device, nvml::GpmSample)>()(handle_.value(), sample);
  });
}

void SmActivity::free_sample(nvml::GpmSample sample) const {
  if (sample == nullptr) return;
  static_cast<void>(gpu_->read<bool>(Call::kGpmSampleFree, [sample](const Symbol& symbol, bool&) {
    return symbol.as<nvml::Return (*)(nvml::GpmSample)>()(sample);
  }));
}

}  // namespace mpsbench
