// probeContext of lib/native/addon.ts. Thread: JS, of a short-lived child.
#pragma once

#include <napi.h>

namespace mpsbench {

void register_context_probe(Napi::Env env, Napi::Object exports);

}  // namespace mpsbench
