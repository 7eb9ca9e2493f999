#include "addon/context_probe.h"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "addon/errors.h"
#include "addon/option_reader.h"
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
    why.Set("nativeCode", fact.native_code ? Napi::Value(Napi::Number::New(env, *fact.native_code)) : env.Null());
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
  probe.Set("mpsEnabled", facts.mps_enabled ? Napi::Value(Napi::Boolean::New(env, *facts.mps_enabled)) : env.Null());
  probe.Set("multiprocessorCount",
            facts.multiprocessor_count ? Napi::Value(Napi::Number::New(env, *facts.multiprocessor_count)) : env.Null());
  probe.Set("contextCreationNs",
            reading.context_creation_ns
                ? Napi::Value(Napi::Number::New(env, static_cast<double>(*reading.context_creation_ns)))
                : env.Null());
  probe.Set("pid", Napi::Number::New(env, getpid()));
  probe.Set("deviceUuid", facts.uuid ? Napi::Value(Napi::String::New(env, *facts.uuid)) : env.Null());
  probe.Set("error", failure_of(env, reading.failure));
  probe.Set("unavailable", missing_facts(env, facts.missing));
  return probe;
}

Napi::Value probe_context(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  OptionReader reader(info, "probeContext");
  const std::optional<std::string> cuda_path = reader.nullable_text("cudaPath");
  const std::optional<std::string> device_uuid = reader.nullable_text("deviceUuid");
  const std::int64_t hold_ns = reader.integer("holdNs", 0, kMaxHoldNs);
  const Napi::Function on_held = reader.optional_function("onHeld");
  if (reader.threw()) return env.Undefined();

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
  if (!on_held.IsEmpty()) on_held.Call({probe});
  if (env.IsExceptionPending()) return env.Undefined();
  std::this_thread::sleep_for(std::chrono::nanoseconds(hold_ns));
  return probe;
}

}  // namespace

void register_context_probe(Napi::Env env, Napi::Object exports) {
  exports.Set("probeContext", Napi::Function::New(env, probe_context, "probeContext"));
}

}  // namespace mpsbench
