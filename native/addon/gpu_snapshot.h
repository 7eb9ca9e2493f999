// A GPU snapshot as the object of lib/records/gpu.ts. Thread: JS.
#pragma once

#include <napi.h>

#include <cstdint>

#include "gpu/gpu_sample.h"
#include "gpu/xid_events.h"

namespace mpsbench {

// origin_ns: what offsetNs is counted from.
[[nodiscard]] Napi::Object to_js(Napi::Env env, const GpuSnapshot& snapshot, std::int64_t origin_ns);

// {xids, unavailable}.
[[nodiscard]] Napi::Object to_js(Napi::Env env, const Reading<Xids>& xids);

// {smActivityPercent, unavailable}.
[[nodiscard]] Napi::Object to_js(Napi::Env env, const Reading<double>& sm_activity_percent);

}  // namespace mpsbench
