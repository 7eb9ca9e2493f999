// Registers what lib/native/addon.ts declares. Thread: JS.
#include <napi.h>

#include "addon/context_probe.h"
#include "addon/encoder.h"
#include "addon/env_state.h"
#include "addon/gpu_session.h"
#include "addon/load_run.h"
#include "addon/null_server.h"
#include "addon/process_cpus.h"
#include "base/clock.h"

#ifndef MPSBENCH_BUILD_ID
#define MPSBENCH_BUILD_ID "unknown"
#endif

namespace mpsbench {
namespace {

Napi::Value now(const Napi::CallbackInfo& info) { return Napi::BigInt::New(info.Env(), now_ns()); }

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  EnvState::create(env);
  exports.Set("buildId", MPSBENCH_BUILD_ID);
  exports.Set("nowNs", Napi::Function::New(env, now, "nowNs"));
  exports.Set("openGpu", Napi::Function::New(env, open_gpu, "openGpu"));
  register_encoder(env, exports);
  register_context_probe(env, exports);
  register_load_run(env, exports);
  register_null_server(env, exports);
  register_process_cpus(env, exports);
  return exports;
}

}  // namespace
}  // namespace mpsbench

// The macro wants a name in the global namespace.
static Napi::Object initialise_addon(Napi::Env env, Napi::Object exports) { return mpsbench::initialise(env, exports); }
NODE_API_MODULE(mpsbench, initialise_addon)
