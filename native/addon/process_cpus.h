// Which CPUs this process, or its JavaScript thread, may run on. Thread: JS.
#pragma once

#include <napi.h>

namespace mpsbench {

void register_process_cpus(Napi::Env env, Napi::Object exports);

}  // namespace mpsbench
