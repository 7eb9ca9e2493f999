// A JavaScript function that another thread calls once.
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>

namespace mpsbench {

// Keeps the event loop alive until it is fired or its environment ends. A function and no promise, since Node-API never
// frees the ends of a promise that is not settled when its environment ends. Shared by both threads.
class CallbackSignal : public std::enable_shared_from_this<CallbackSignal> {
 public:
  // Thread: JS. `callback` is called with no argument.
  static std::shared_ptr<CallbackSignal> create(Napi::Env env, const Napi::Function& callback, const char* name);
  // Thread: any. Has it called soon; later calls and calls after the environment's end do nothing.
  void fire();
  // Thread: any. It is not to be called any more.
  void cancel();

 private:
  CallbackSignal() = default;
  void forget();

  // Guards against a call on a function that the environment has just taken away.
  std::mutex mutex_;
  bool open_ = false;
  Napi::ThreadSafeFunction function_;
};

}  // namespace mpsbench
