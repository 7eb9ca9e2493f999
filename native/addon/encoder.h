// createEncoder of lib/native/addon.ts. Thread: JS.
#pragma once

#include <napi.h>

namespace mpsbench {

void register_encoder(Napi::Env env, Napi::Object exports);

}  // namespace mpsbench
