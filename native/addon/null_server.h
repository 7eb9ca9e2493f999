// JavaScript object of the server that answers at once. Thread: JS.
#pragma once

#include <napi.h>

namespace mpsbench {

void register_null_server(Napi::Env env, Napi::Object exports);

}  // namespace mpsbench
