// Runs a call that may hang on a thread of its own, and gives up on it after a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/thread.h"

namespace mpsbench {

// What `job` returned, or nullopt where it did not return within `deadline_ns`. Its thread is then let go: the job
// must own (by shared_ptr) everything that it touches, which lives until it returns. Error: THREAD_NOT_STARTED, with
// the job destroyed and never run. Thread: any.
template <class T>
Result<std::optional<T>> call_with_deadline(std::function<T()> job, std::int64_t deadline_ns) {
  struct State {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<T> result;
  };
  const auto state = std::make_shared<State>();
  Result<Thread> thread = Thread::start([state, job = std::move(job)]() mutable {
    T result = job();
    // What the job holds must be released before the caller goes on.
    job = nullptr;
    const std::lock_guard lock(state->mutex);
    state->result.emplace(std::move(result));
    state->done.notify_one();
  });
  if (!thread.ok()) return thread.error();
  std::unique_lock lock(state->mutex);
  const bool ended =
      state->done.wait_for(lock, std::chrono::nanoseconds(deadline_ns), [&state] { return state->result.has_value(); });
  lock.unlock();
  if (!ended) return std::optional<T>();
  thread.value().join();
  return std::move(state->result);
}

}  // namespace mpsbench
