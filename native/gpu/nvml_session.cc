#include "gpu/nvml_session.h"

#include <utility>

#include "base/deadline_call.h"
#include "gpu/nvml_return.h"
#include "gpu/nvml_snapshot.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kDestructorDeadlineNs = 1'000'000'000;
constexpr const char* kNoActivity = "the activity of the SMs could not be read";
constexpr const char* kNoXids = "the Xid errors of a GPU could not be read";

}  // namespace

NvmlSession::NvmlSession(std::shared_ptr<const Nvml> gpu, std::int64_t deadline_ns)
    : gpu_(std::move(gpu)), deadline_ns_(deadline_ns) {}

NvmlSession::~NvmlSession() { close_within(kDestructorDeadlineNs); }

Result<std::shared_ptr<NvmlSession>> NvmlSession::open(const std::optional<std::string>& path,
                                                       std::int64_t open_deadline_ns, std::int64_t deadline_ns) {
  using Opened = Result<std::shared_ptr<const Nvml>>;
  const auto called = call_with_deadline<Opened>([path] { return Nvml::open(path); }, open_deadline_ns);
  if (!called.ok()) return called.error();
  const std::optional<Opened>& opened = called.value();
  if (!opened) return hang_error("NVML could not be opened: " + path.value_or("libnvidia-ml.so.1"));
  if (!opened->ok()) return opened->error();
  // The constructor is private, hence not make_shared.
  return std::shared_ptr<NvmlSession>(new NvmlSession(opened->value(), deadline_ns));
}

std::optional<Error> NvmlSession::unusable(const char* what) const {
  if (timed_out_) return hang_error(what);
  if (gpu_ == nullptr) return Error{"GPU_CLOSED", std::string(what) + ": its GPU session is closed; open another", 0};
  return std::nullopt;
}

template <class T>
Result<T> NvmlSession::read_in_time(const char* what, std::function<T()> job) {
  if (const auto error = unusable(what)) return *error;
  auto called = call_with_deadline<T>(std::move(job), deadline_ns_);
  if (!called.ok()) return called.error();
  if (called.value()) return std::move(*called.value());
  timed_out_ = true;
  return hang_error(what);
}

Result<GpuSnapshot> NvmlSession::snapshot(bool with_energy) {
  return read_in_time<GpuSnapshot>("a GPU snapshot could not be taken",
                                   [gpu = gpu_, with_energy] { return read_snapshot(*gpu, with_energy); });
}

Status NvmlSession::begin_activity(std::size_t device) {
  auto begun = read_in_time<std::shared_ptr<SmActivity>>(
      kNoActivity, [gpu = gpu_, device, before = std::exchange(activity_, nullptr)]() mutable {
        before.reset();
        return SmActivity::begin(gpu, device);
      });
  if (!begun.ok()) return begun.error();
  activity_ = std::move(begun.value());
  return Ok{};
}

Result<Reading<double>> NvmlSession::end_activity() {
  // Of a session that cannot be used, that is what is told.
  if (activity_ == nullptr && !unusable(kNoActivity)) {
    return Reading<double>(Unavailable{Reason::kNotAsked, "nvmlGpmSampleGet", std::nullopt});
  }
  return read_in_time<Reading<double>>(kNoActivity, [window = activity_] { return window->end(); });
}

Status NvmlSession::begin_xid_watch(std::size_t device) {
  auto begun = read_in_time<std::shared_ptr<XidEvents>>(
      kNoXids, [gpu = gpu_, device, before = std::exchange(xid_events_, nullptr)]() mutable {
        before.reset();
        return XidEvents::begin(gpu, device);
      });
  if (!begun.ok()) return begun.error();
  xid_events_ = std::move(begun.value());
  return Ok{};
}

Result<Reading<Xids>> NvmlSession::end_xid_watch() {
  if (xid_events_ == nullptr && !unusable(kNoXids)) {
    return Reading<Xids>(Unavailable{Reason::kNotAsked, "nvmlEventSetCreate", std::nullopt});
  }
  return read_in_time<Reading<Xids>>(kNoXids, [events = std::exchange(xid_events_, nullptr)]() mutable {
    const Reading<Xids> xids = events->take();
    events.reset();
    return xids;
  });
}

std::size_t NvmlSession::device_count() const { return gpu_ == nullptr ? 0 : gpu_->devices().size(); }

Result<std::shared_ptr<Sampler>> NvmlSession::start_sampling(SamplingPlan plan) {
  if (const auto error = unusable("GPU sampling could not be started")) return *error;
  if (sampler_ != nullptr && !sampler_->stopped()) {
    return Error{"ALREADY_RUNNING",
                 "GPU sampling could not be started: this session is sampling already; stop that one first", 0};
  }
  Result<std::shared_ptr<Sampler>> started = Sampler::start(gpu_, std::move(plan));
  if (started.ok()) sampler_ = started.value();
  return started;
}

void NvmlSession::close_within(std::int64_t deadline_ns) {
  if (gpu_ == nullptr) return;
  if (sampler_ != nullptr) static_cast<void>(sampler_->stop(deadline_ns));
  sampler_.reset();
  // Shutting down calls into the driver too: the last owner lets go on a thread that may be left behind. Where no
  // thread can be had the job is destroyed here, and NVML is shut down by this one.
  static_cast<void>(call_with_deadline<Ok>(
      [gpu = std::exchange(gpu_, nullptr), activity = std::exchange(activity_, nullptr),
       xid_events = std::exchange(xid_events_, nullptr)]() mutable {
        activity.reset();
        xid_events.reset();
        gpu.reset();
        return Ok{};
      },
      timed_out_ ? 0 : deadline_ns));
}

}  // namespace mpsbench
