#include "addon/gpu_session.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "addon/arguments.h"
#include "addon/env_state.h"
#include "addon/errors.h"
#include "addon/gpu_series.h"
#include "addon/gpu_snapshot.h"
#include "gpu/nvml_session.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kExitDeadlineNs = 1'000'000'000;
// Reserved address space, of which only what is written takes memory: 2.4 GiB and 1.1 GiB at the most.
constexpr std::int64_t kMostDeviceRows = 40'000'000;
constexpr std::int64_t kMostProcessRows = 50'000'000;

// A session that its environment closes when it ends. The methods below are closures over it and take nothing from
// `this`: called on a foreign object they still work on their own session, so there is no wrapped pointer to confuse.
class OpenSession : public Closable {
 public:
  explicit OpenSession(std::shared_ptr<NvmlSession> opened) : session(std::move(opened)) {}
  void close_at_exit() override { session->close_within(kExitDeadlineNs); }

  const std::shared_ptr<NvmlSession> session;
};

Napi::Value snapshot(const Napi::CallbackInfo& info, NvmlSession& session) {
  Arguments arguments(info, "snapshot");
  const std::int64_t origin_ns = arguments.instant_ns("originNs");
  const bool with_energy = arguments.boolean("withEnergy");
  if (arguments.throw_if_bad()) return {};
  const auto read = session.snapshot(with_energy);
  if (!read.ok()) {
    throw_error(info.Env(), read.error());
    return {};
  }
  return to_js(info.Env(), read.value(), origin_ns);
}

Napi::Value stop_sampling(const Napi::CallbackInfo& info, Sampler& sampler, std::int64_t origin_ns,
                          Napi::ObjectReference& result) {
  if (!result.IsEmpty()) return result.Value();
  const auto rows = sampler.stop(kNvmlDeadlineNs);
  if (!rows.ok()) {
    throw_error(info.Env(), rows.error());
    return {};
  }
  const Napi::Object made = to_js(info.Env(), *rows.value(), origin_ns);
  result = Napi::Persistent(made);
  return made;
}

Napi::Object sampling_object(Napi::Env env, const std::shared_ptr<Sampler>& sampler, std::int64_t origin_ns) {
  Napi::Object object = Napi::Object::New(env);
  const auto result = std::make_shared<Napi::ObjectReference>();
  object.Set("stop", Napi::Function::New(
                         env,
                         [sampler, origin_ns, result](const Napi::CallbackInfo& info) {
                           return stop_sampling(info, *sampler, origin_ns, *result);
                         },
                         "stop"));
  return object;
}

Napi::Value start_sampling(const Napi::CallbackInfo& info, NvmlSession& session) {
  Arguments arguments(info, "startSampling");
  const std::int64_t origin_ns = arguments.instant_ns("originNs");
  SamplingPlan plan;
  plan.period_ns = arguments.integer("periodNs", kShortestPeriodNs, kLongestPeriodNs);
  const auto devices = static_cast<std::int64_t>(session.device_count());
  // Of a closed session, which has no devices, the session itself says that it is closed.
  if (devices > 0) plan.devices = arguments.indices("devices", devices - 1);
  const std::int64_t most_ticks = kMostDeviceRows / std::max<std::int64_t>(devices, 1);
  plan.max_ticks = static_cast<std::size_t>(arguments.integer("maxTicks", 1, most_ticks));
  plan.max_process_rows = static_cast<std::size_t>(arguments.integer("maxProcessRows", 0, kMostProcessRows));
  if (arguments.throw_if_bad()) return {};
  const auto sampler = session.start_sampling(std::move(plan));
  if (!sampler.ok()) {
    throw_error(info.Env(), sampler.error());
    return {};
  }
  return sampling_object(info.Env(), sampler.value(), origin_ns);
}

// The argument {device} of `method`; nothing where it is thrown for.
std::optional<std::size_t> device_argument(const Napi::CallbackInfo& info, const char* method, NvmlSession& session) {
  Arguments arguments(info, method);
  const auto devices = static_cast<std::int64_t>(session.device_count());
  // Of a closed session, which has no devices, the session itself says that it is closed.
  const std::int64_t device = devices > 0 ? arguments.integer("device", 0, devices - 1) : 0;
  if (arguments.throw_if_bad()) return std::nullopt;
  return static_cast<std::size_t>(device);
}

Napi::Value begin_activity(const Napi::CallbackInfo& info, NvmlSession& session) {
  const auto device = device_argument(info, "beginActivity", session);
  if (!device) return {};
  const auto begun = session.begin_activity(*device);
  if (!begun.ok()) throw_error(info.Env(), begun.error());
  return info.Env().Undefined();
}

Napi::Value end_activity(const Napi::CallbackInfo& info, NvmlSession& session) {
  const auto read = session.end_activity();
  if (read.ok()) return to_js(info.Env(), read.value());
  throw_error(info.Env(), read.error());
  return {};
}

Napi::Value begin_xid_watch(const Napi::CallbackInfo& info, NvmlSession& session) {
  const auto device = device_argument(info, "beginXidWatch", session);
  if (!device) return {};
  const auto begun = session.begin_xid_watch(*device);
  if (!begun.ok()) throw_error(info.Env(), begun.error());
  return info.Env().Undefined();
}

Napi::Value end_xid_watch(const Napi::CallbackInfo& info, NvmlSession& session) {
  const auto read = session.end_xid_watch();
  if (read.ok()) return to_js(info.Env(), read.value());
  throw_error(info.Env(), read.error());
  return {};
}

Napi::Object session_object(Napi::Env env, const std::shared_ptr<OpenSession>& open) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("snapshot",
             Napi::Function::New(
                 env, [open](const Napi::CallbackInfo& info) { return snapshot(info, *open->session); }, "snapshot"));
  object.Set("startSampling",
             Napi::Function::New(
                 env, [open](const Napi::CallbackInfo& info) { return start_sampling(info, *open->session); },
                 "startSampling"));
  object.Set("beginActivity",
             Napi::Function::New(
                 env, [open](const Napi::CallbackInfo& info) { return begin_activity(info, *open->session); },
                 "beginActivity"));
  object.Set(
      "endActivity",
      Napi::Function::New(
          env, [open](const Napi::CallbackInfo& info) { return end_activity(info, *open->session); }, "endActivity"));
  object.Set("beginXidWatch",
             Napi::Function::New(
                 env, [open](const Napi::CallbackInfo& info) { return begin_xid_watch(info, *open->session); },
                 "beginXidWatch"));
  object.Set(
      "endXidWatch",
      Napi::Function::New(
          env, [open](const Napi::CallbackInfo& info) { return end_xid_watch(info, *open->session); }, "endXidWatch"));
  object.Set("close", Napi::Function::New(env, [open](const Napi::CallbackInfo&) { open->session->close(); }, "close"));
  return object;
}

}  // namespace

Napi::Value open_gpu(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "openGpu");
  const auto path = arguments.nullable_string("nvmlPath");
  if (arguments.throw_if_bad()) return {};
  auto opened = NvmlSession::open(path);
  if (!opened.ok()) {
    throw_error(info.Env(), opened.error());
    return {};
  }
  const auto open = std::make_shared<OpenSession>(opened.value());
  EnvState::of(info.Env()).add(open);
  return session_object(info.Env(), open);
}

}  // namespace mpsbench
