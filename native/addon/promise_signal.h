// A promise that another thread resolves once.
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>

namespace mpsbench {

// Keeps the event loop alive until it is fired or its environment ends. Shared by both threads.
class PromiseSignal : public std::enable_shared_from_this<PromiseSignal> {
 public:
  // Thread: JS.
  static std::shared_ptr<PromiseSignal> create(Napi::Env env, const char* name);
  // Thread: JS.
  [[nodiscard]] Napi::Promise promise() const { return deferred_.Promise(); }
  // Thread: any. Resolves the promise with undefined, soon; later calls and calls after the environment's end do
  // nothing.
  void fire();

 private:
  explicit PromiseSignal(Napi::Env env) : deferred_(Napi::Promise::Deferred::New(env)) {}
  void forget();

  Napi::Promise::Deferred deferred_;
  // Guards against a call on a function that the environment has just taken away.
  std::mutex mutex_;
  bool open_ = false;
  Napi::ThreadSafeFunction function_;
};

}  // namespace mpsbench
