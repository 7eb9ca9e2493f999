#include "load/issuer.h"

#include <algorithm>

#include "load/split_mix.h"

namespace mpsbench {
namespace {

std::int64_t share_of(std::int64_t whole, std::int64_t parts, std::int64_t part) {
  return whole == kNever ? kNever : whole / parts + (part < whole % parts ? 1 : 0);
}

}  // namespace

Issuer::Issuer(const LoadSpec& spec, std::uint32_t worker)
    : spec_(spec),
      start_ns_(spec.measurement_start_ns),
      deadline_ns_(spec.deadline_ns),
      schedule_length_(spec.schedule.size()),
      stride_(spec.threads),
      head_(worker),
      due_(worker),
      number_(worker),
      quota_(share_of(spec.measured_requests, spec.threads, worker)) {}

// The start last: who sees it sees the end that goes with it.
void Issuer::begin_measurement(const MeasurementWindow& window) {
  schedule_length_.store(std::min(window.schedule_length, spec_.schedule.size()), std::memory_order_release);
  deadline_ns_.store(window.deadline_ns, std::memory_order_release);
  start_ns_.store(window.start_ns, std::memory_order_release);
}

DueRequest Issuer::request(std::int64_t due_ns, LoadPhase phase) {
  const std::uint64_t number = spec_.first_number + number_ * spec_.number_step;
  number_ += stride_;
  return {due_ns, number, draw(number), phase};
}

std::uint32_t Issuer::draw(std::uint64_t number) const {
  const std::size_t pool = spec_.pool();
  if (pool == 1) return 0;
  // 53 bits as a double below 1, as JavaScript does it, so that both engines draw the same.
  const double uniform = static_cast<double>(split_mix(spec_.payload_stream, number) >> 11) * 0x1p-53;
  return static_cast<std::uint32_t>(uniform * static_cast<double>(pool));
}

std::optional<DueRequest> Issuer::claim(std::int64_t now_ns) {
  if (now_ns < measurement_start_ns()) return request(now_ns, LoadPhase::kWarmup);
  if (now_ns >= deadline_ns() || measured_ >= quota_) {
    ended_ = true;
    return std::nullopt;
  }
  measured_ += 1;
  if (measured_ == quota_) last_issue_ns_ = now_ns;
  return request(now_ns, LoadPhase::kMeasurement);
}

void Issuer::advance(std::int64_t now_ns) {
  while (due_ < length() && spec_.schedule[due_] <= now_ns) due_ += stride_;
}

std::optional<DueRequest> Issuer::take_waiting() {
  if (head_ >= due_) return std::nullopt;
  const std::int64_t due_ns = spec_.schedule[head_];
  head_ += stride_;
  const bool measured = due_ns >= measurement_start_ns();
  return request(due_ns, measured ? LoadPhase::kMeasurement : LoadPhase::kWarmup);
}

std::int64_t Issuer::waiting_since_ns() const { return head_ < due_ ? spec_.schedule[head_] : kNever; }

std::int64_t Issuer::next_due_ns() const { return due_ < length() ? spec_.schedule[due_] : kNever; }

bool Issuer::exhausted() const { return spec_.open_loop ? head_ == due_ && due_ >= length() : ended_; }

}  // namespace mpsbench
