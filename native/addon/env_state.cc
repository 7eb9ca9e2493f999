#include "addon/env_state.h"

#include <algorithm>

namespace mpsbench {

// Node-API owns the state and deletes it after the cleanup hook, which runs while the environment can still be used.
void EnvState::create(Napi::Env env) {
  auto* state = new EnvState();
  env.SetInstanceData(state);
  env.AddCleanupHook([](EnvState* ending) { ending->close_all(); }, state);
}

EnvState& EnvState::of(Napi::Env env) { return *env.GetInstanceData<EnvState>(); }

void EnvState::add(const std::shared_ptr<Closable>& opened) {
  const auto gone = std::remove_if(opened_.begin(), opened_.end(), [](const auto& other) { return other.expired(); });
  opened_.erase(gone, opened_.end());
  opened_.push_back(opened);
}

// In reverse, as everything that is opened is closed.
void EnvState::close_all() {
  for (auto other = opened_.rbegin(); other != opened_.rend(); ++other) {
    if (const auto opened = other->lock()) opened->close_at_exit();
  }
  opened_.clear();
}

}  // namespace mpsbench
