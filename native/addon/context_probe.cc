#include "addon/context_probe.h"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "addon/arguments.h"
#include "addon/errors.h"
#include "addon/nullable.h"
#include "gpu/cuda_context.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kMaxHoldNs = 3'600'000'000'000;

Napi::Object missing_facts(Napi::Env env, const std::vector<cuda::MissingFact>& facts) {
  Napi::Object missing = Napi::Object::New(env);
  for (const cuda::MissingFact& fact : facts) {
    Napi::Object why = Napi::Object::New(env);
    why.Set("reason", Napi::String::New(env, fact.reason));
    why.Set("source", Napi::String::New(env, fact.source));
    why.Set("nativeCode", nullable(env, fact.native_code));
    missing.Set(fact.field, why);
  }
  return missing;
}

Napi::Value failure_of(Napi::Env env, const std::optional<cuda::CallFailure>& failure) {
  if (!failure) return env.Null();
  Napi::Object error = Napi::Object::New(env);
  error.Set("code", Napi::Number::New(env, failure->code));
  error.Set("name", Napi::String::New(env, failure->name));
  error.Set("call", Napi::String::New(env, failure->call));
  return error;
}

Napi::Object probe_of(Napi::Env env, const cuda::ContextReading& reading) {
  const cuda::DeviceFacts& facts = reading.facts;
  Napi::Object probe = Napi::Object::New(env);
  probe.Set("mpsEnabled", nullable(env, facts.mps_enabled));
  probe.Set("multiprocessorCount", nullable(env, facts.multiprocessor_count));
  probe.Set("contextCreationNs", nullable(env, reading.context_creation_ns));
  probe.Set("pid", Napi::Number::New(env, getpid()));
  probe.Set("deviceUuid", nullable(env, facts.uuid));
  probe.Set("error", failure_of(env, reading.failure));
  probe.Set("unavailable", missing_facts(env, facts.missing));
  return probe;
}

Napi::Value probe_context(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, "probeContext");
  const std::optional<std::string> cuda_path = arguments.nullable_string("cudaPath");
  const std::optional<std::string> device_uuid = arguments.nullable_string("deviceUuid");
  const std::int64_t hold_ns = arguments.integer("holdNs", 0, kMaxHoldNs);
  if (arguments.throw_if_bad()) return env.Undefined();
  const Napi::Value on_held = info[0].As<Napi::Object>().Get("onHeld");
  if (env.IsExceptionPending()) return env.Undefined();
  if (!on_held.IsUndefined() && !on_held.IsFunction()) {
    throw_argument_error(env, "probeContext: onHeld must be a function or undefined");
    return env.Undefined();
  }

  Result<cuda::Driver> driver = cuda::Driver::open(cuda_path);
  if (!driver.ok()) {
    throw_error(env, driver.error());
    return env.Undefined();
  }
  std::optional<cuda::PrimaryContext> context;
  const Result<cuda::ContextReading> reading = cuda::read_context(driver.value(), device_uuid, context);
  if (!reading.ok()) {
    throw_error(env, reading.error());
    return env.Undefined();
  }
  const Napi::Object probe = probe_of(env, reading.value());
  if (!context) return probe;
  if (on_held.IsFunction()) on_held.As<Napi::Function>().Call({probe});
  if (env.IsExceptionPending()) return env.Undefined();
  std::this_thread::sleep_for(std::chrono::nanoseconds(hold_ns));
  return probe;
}

}  // namespace

void register_context_probe(Napi::Env env, Napi::Object exports) {
  exports.Set("probeContext", Napi::Function::New(env, probe_context, "probeContext"));
}

}  // namespace mpsbench
