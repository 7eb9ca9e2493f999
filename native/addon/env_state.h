// What one JavaScript environment (the main thread's or a worker thread's) has opened, closed when it ends.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

namespace mpsbench {

// Something that must not outlive its environment. Thread: JS.
class Closable {
 public:
  Closable() = default;
  Closable(const Closable&) = delete;
  Closable& operator=(const Closable&) = delete;
  virtual ~Closable() = default;
  // Idempotent; takes a second at most.
  virtual void close_at_exit() = 0;
};

// Thread: JS.
class EnvState {
 public:
  // Makes the state of `env`; once, when the addon is initialised.
  static void create(Napi::Env env);
  static EnvState& of(Napi::Env env);

  // Closes it at the latest when the environment ends. Its owner is somebody else.
  void add(const std::shared_ptr<Closable>& opened);

 private:
  void close_all();

  std::vector<std::weak_ptr<Closable>> opened_;
};

}  // namespace mpsbench
