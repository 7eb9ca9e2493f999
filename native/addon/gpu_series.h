// The rows of a sampler as the SampleResult of lib/native/addon.ts. Thread: JS.
#pragma once

#include <napi.h>

#include <cstdint>

#include "gpu/sampler.h"

namespace mpsbench {

// origin_ns: what the offsets are counted from.
[[nodiscard]] Napi::Object to_js(Napi::Env env, const SamplingRows& rows, std::int64_t origin_ns);

}  // namespace mpsbench
