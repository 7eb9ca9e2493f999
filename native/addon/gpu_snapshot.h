// A GPU snapshot and the rows of a sampler as the objects of lib/records/gpu.ts. Thread: JS.
#pragma once

#include <napi.h>

#include <cstdint>

#include "gpu/gpu_sample.h"
#include "gpu/sampler.h"

namespace mpsbench {

// origin_ns: what offsetNs is counted from.
[[nodiscard]] Napi::Object to_js(Napi::Env env, const GpuSnapshot& snapshot, std::int64_t origin_ns);

// SampleResult of lib/native/addon.ts.
[[nodiscard]] Napi::Object to_js(Napi::Env env, const SamplingRows& rows, std::int64_t origin_ns);

}  // namespace mpsbench
