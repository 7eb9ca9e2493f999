#include "addon/callback_signal.h"

namespace mpsbench {

std::shared_ptr<CallbackSignal> CallbackSignal::create(Napi::Env env, const Napi::Function& callback,
                                                       const char* name) {
  std::shared_ptr<CallbackSignal> signal(new CallbackSignal());
  // The finalizer holds the signal, so that it is there for as long as the function is.
  signal->function_ =
      Napi::ThreadSafeFunction::New(env, callback, name, 1, 1, [signal](Napi::Env) { signal->forget(); });
  signal->open_ = true;
  return signal;
}

void CallbackSignal::fire() {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  open_ = false;
  function_.NonBlockingCall([](Napi::Env, Napi::Function callback) { callback.Call({}); });
  function_.Release();
}

void CallbackSignal::cancel() {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  open_ = false;
  function_.Release();
}

void CallbackSignal::forget() {
  const std::lock_guard lock(mutex_);
  open_ = false;
}

}  // namespace mpsbench
