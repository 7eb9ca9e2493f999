#include "addon/process_cpus.h"

#include <cstdint>
#include <vector>

#include "addon/arguments.h"
#include "addon/errors.h"
#include "base/affinity.h"

namespace mpsbench {
namespace {

Napi::Value set_cpus(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "setCpus");
  const std::vector<std::uint32_t> cpus = arguments.indices("cpus", kMostCpus - 1);
  const bool every_thread = arguments.boolean("everyThread");
  if (arguments.throw_if_bad()) return {};
  const Status set = every_thread ? set_process_cpus(cpus) : set_thread_cpus(cpus);
  if (!set.ok()) throw_error(info.Env(), set.error());
  return {};
}

}  // namespace

void register_process_cpus(Napi::Env env, Napi::Object exports) {
  exports.Set("setCpus", Napi::Function::New(env, set_cpus, "setCpus"));
}

}  // namespace mpsbench
