#include "base/thread.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace mpsbench {
namespace {

using Work = std::function<void()>;

void* run_work(void* owned) {
  const std::unique_ptr<Work> work(static_cast<Work*>(owned));
  (*work)();
  return nullptr;
}

}  // namespace

Result<Thread> Thread::start(std::function<void()> work) {
  auto owned = std::make_unique<Work>(std::move(work));
  pthread_t handle{};
  if (const int code = pthread_create(&handle, nullptr, run_work, owned.get()); code != 0) {
    return Error{"THREAD_NOT_STARTED",
                 "a thread could not be started in this process: " + std::string(std::strerror(code)) +
                     "; raise the limit of processes (ulimit -u, or pids.max of the container) or free memory",
                 code};
  }
  static_cast<void>(owned.release());
  return Thread(handle);
}

Thread::Thread(Thread&& other) noexcept : handle_(other.handle_), owns_(std::exchange(other.owns_, false)) {}

void Thread::join() {
  if (std::exchange(owns_, false)) pthread_join(handle_, nullptr);
}

void Thread::detach() {
  if (std::exchange(owns_, false)) pthread_detach(handle_);
}

}  // namespace mpsbench
