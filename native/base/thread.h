// Owner of one thread. Thread: the one that started it.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "base/result.h"

namespace mpsbench {

// std::thread throws where the system refuses a thread (EAGAIN under a container's limit of PIDs), and an exception
// that reaches Node's frames ends the process; this one answers with an error.
class Thread {
 public:
  // Starts `work`. Error: THREAD_NOT_STARTED with errno as native_code; `work` is then destroyed before this returns.
  static Result<Thread> start(std::function<void()> work) { return start(std::move(work), {}); }
  // The same on those CPUs alone; none = those of the calling thread.
  static Result<Thread> start(std::function<void()> work, std::span<const std::uint32_t> cpus);

  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&&) = delete;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  // Lets a thread go that was not joined: a destructor must not wait for a call that hangs.
  ~Thread() { detach(); }

  // Waits until the work is done. At most one of join() and detach() acts, and once.
  void join();
  void detach();

 private:
  explicit Thread(pthread_t handle) : handle_(handle), owns_(true) {}

  pthread_t handle_;
  bool owns_;
};

// Of the calling thread: Node's signals are for its own threads.
void block_signals();

}  // namespace mpsbench
