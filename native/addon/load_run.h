// The function startLoad and the object that it gives, NativeLoadRun, and the texts of what makes a reply bad.
// Thread: JS.
#pragma once

#include <napi.h>

namespace mpsbench {

void register_load_run(Napi::Env env, Napi::Object exports);

}  // namespace mpsbench
