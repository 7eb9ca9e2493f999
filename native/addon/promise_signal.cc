#include "addon/promise_signal.h"

namespace mpsbench {

std::shared_ptr<PromiseSignal> PromiseSignal::create(Napi::Env env, const char* name) {
  std::shared_ptr<PromiseSignal> signal(new PromiseSignal(env));
  const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {}, name);
  // The finalizer holds the signal, so that it is there for as long as the function is.
  signal->function_ =
      Napi::ThreadSafeFunction::New(env, nothing, name, 1, 1, [signal](Napi::Env) { signal->forget(); });
  signal->open_ = true;
  return signal;
}

void PromiseSignal::fire() {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  open_ = false;
  const auto self = shared_from_this();
  function_.NonBlockingCall([self](Napi::Env env, Napi::Function) { self->deferred_.Resolve(env.Undefined()); });
  function_.Release();
}

void PromiseSignal::forget() {
  const std::lock_guard lock(mutex_);
  open_ = false;
}

}  // namespace mpsbench
