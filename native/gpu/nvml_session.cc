#include "gpu/nvml_session.h"

#include <utility>

#include "base/deadline_call.h"
#include "gpu/nvml_snapshot.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kDestructorDeadlineNs = 1'000'000'000;

Error timed_out(const std::string& what) {
  return {"NVML_TIMEOUT",
          what +
              ": a call into the NVIDIA driver does not return; see dmesg for Xid errors, then reset the GPU or "
              "reboot",
          0};
}

}  // namespace

NvmlSession::NvmlSession(std::shared_ptr<const Nvml> gpu, std::int64_t deadline_ns)
    : gpu_(std::move(gpu)), deadline_ns_(deadline_ns) {}

NvmlSession::~NvmlSession() { close_within(kDestructorDeadlineNs); }

Result<std::shared_ptr<NvmlSession>> NvmlSession::open(const std::optional<std::string>& path,
                                                       std::int64_t deadline_ns) {
  using Opened = Result<std::shared_ptr<const Nvml>>;
  const auto opened = call_with_deadline<Opened>([path] { return Nvml::open(path); }, deadline_ns);
  if (!opened) return timed_out("NVML could not be opened: " + path.value_or("libnvidia-ml.so.1"));
  if (!opened->ok()) return opened->error();
  // The constructor is private, hence not make_shared.
  return std::shared_ptr<NvmlSession>(new NvmlSession(opened->value(), deadline_ns));
}

std::optional<Error> NvmlSession::unusable(const char* what) const {
  if (timed_out_) return timed_out(what);
  if (gpu_ == nullptr) return Error{"GPU_CLOSED", std::string(what) + ": its GPU session is closed; open another", 0};
  return std::nullopt;
}

Result<GpuSnapshot> NvmlSession::snapshot(bool with_energy) {
  constexpr const char* kWhat = "a GPU snapshot could not be taken";
  if (const auto error = unusable(kWhat)) return *error;
  auto snapshot = call_with_deadline<GpuSnapshot>(
      [gpu = gpu_, with_energy] { return read_snapshot(*gpu, with_energy); }, deadline_ns_);
  if (!snapshot) {
    timed_out_ = true;
    return timed_out(kWhat);
  }
  return std::move(*snapshot);
}

std::size_t NvmlSession::device_count() const { return gpu_ == nullptr ? 0 : gpu_->devices().size(); }

Result<std::shared_ptr<Sampler>> NvmlSession::start_sampling(SamplingPlan plan) {
  if (const auto error = unusable("GPU sampling could not be started")) return *error;
  if (sampler_ != nullptr && !sampler_->stopped()) {
    return Error{"ALREADY_RUNNING",
                 "GPU sampling could not be started: this session is sampling already; stop that one first", 0};
  }
  sampler_ = std::make_shared<Sampler>(gpu_, std::move(plan));
  return sampler_;
}

void NvmlSession::close_within(std::int64_t deadline_ns) {
  if (gpu_ == nullptr) return;
  if (sampler_ != nullptr) static_cast<void>(sampler_->stop(deadline_ns));
  sampler_.reset();
  // Shutting down calls into the driver too: the last owner lets go on a thread that may be left behind.
  static_cast<void>(call_with_deadline<Ok>(
      [gpu = std::exchange(gpu_, nullptr)]() mutable {
        gpu.reset();
        return Ok{};
      },
      timed_out_ ? 0 : deadline_ns));
}

}  // namespace mpsbench
