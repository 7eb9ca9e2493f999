// The only place that makes JavaScript errors. Thread: JS.
#pragma once

#include <napi.h>

#include "base/result.h"

namespace mpsbench {

// An Error with `code`, `detail` and `nativeCode`; the caller returns right after throwing.
void throw_error(Napi::Env env, const Error& error);

// A TypeError with code ERR_INVALID_ARG_TYPE: the caller broke the contract of lib/native/addon.ts.
void throw_argument_error(Napi::Env env, const std::string& message);

}  // namespace mpsbench
