// The function openGpu and the objects that it gives: NativeGpuSession and NativeSampling. Thread: JS.
#pragma once

#include <napi.h>

namespace mpsbench {

Napi::Value open_gpu(const Napi::CallbackInfo& info);

}  // namespace mpsbench
