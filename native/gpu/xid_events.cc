#include "gpu/xid_events.h"

#include <utility>

namespace mpsbench {

std::shared_ptr<XidEvents> XidEvents::begin(std::shared_ptr<const Nvml> gpu, std::size_t device) {
  // The constructor is private, hence not make_shared.
  std::shared_ptr<XidEvents> events(new XidEvents(std::move(gpu), device));
  events->watching_ = events->watch();
  return events;
}

XidEvents::XidEvents(std::shared_ptr<const Nvml> gpu, std::size_t device)
    : gpu_(std::move(gpu)), handle_(gpu_->devices()[device].handle), watching_(Unavailable{}) {}

XidEvents::~XidEvents() {
  if (set_ == nullptr) return;
  static_cast<void>(gpu_->read<bool>(Call::kEventSetFree, [this](const Symbol& symbol, bool&) {
    return symbol.as<nvml::Return (*)(nvml::EventSet)>()(set_);
  }));
}

Reading<bool> XidEvents::watch() {
  if (!handle_.known()) return handle_.why();
  const auto made = gpu_->read<nvml::EventSet>(Call::kEventSetCreate, [](const Symbol& symbol, auto& value) {
    return symbol.as<nvml::Return (*)(nvml::EventSet*)>()(&value);
  });
  if (!made.known()) return made.why();
  set_ = made.value();
  return gpu_->read<bool>(Call::kRegisterEvents, [this](const Symbol& symbol, bool& value) {
    value = true;
    const auto ask = symbol.as<nvml::Return (*)(nvml::Device, unsigned long long, nvml::EventSet)>();
    return ask(handle_.value(), nvml::kEventXidCritical, set_);
  });
}

Reading<Xids> XidEvents::take() {
  if (!watching_.known()) return watching_.why();
  Xids xids;
  while (xids.size() < kMostXids) {
    const auto event = next();
    if (!event.known()) {
      // With nothing left to deliver the call times out at once. What was read before a failure did happen.
      if (event.why().reason == Reason::kTimeout || !xids.empty()) break;
      return event.why();
    }
    if (event.value().type == nvml::kEventXidCritical) xids.push_back(event.value().data);
  }
  return xids;
}

Reading<nvml::EventData> XidEvents::next() const {
  return gpu_->read<nvml::EventData>(Call::kEventSetWait, [this](const Symbol& symbol, nvml::EventData& value) {
    constexpr std::uint32_t kDoNotWait = 0;
    const auto ask = symbol.as<nvml::Return (*)(nvml::EventSet, nvml::EventData*, std::uint32_t)>();
    return ask(set_, &value, kDoNotWait);
  });
}

}  // namespace mpsbench
