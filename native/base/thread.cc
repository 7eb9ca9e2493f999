#include "base/thread.h"

#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/affinity.h"

namespace mpsbench {
namespace {

using Work = std::function<void()>;

void* run_work(void* owned) {
  const std::unique_ptr<Work> work(static_cast<Work*>(owned));
  (*work)();
  return nullptr;
}

// 0, or an errno.
int create(pthread_t& handle, Work* work, std::span<const std::uint32_t> cpus) {
  if (cpus.empty()) return pthread_create(&handle, nullptr, run_work, work);
  pthread_attr_t attributes;
  if (const int code = pthread_attr_init(&attributes); code != 0) return code;
  const cpu_set_t set = cpu_set_of(cpus);
  int code = pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
  if (code == 0) code = pthread_create(&handle, &attributes, run_work, work);
  pthread_attr_destroy(&attributes);
  return code;
}

}  // namespace

Result<Thread> Thread::start(std::function<void()> work, std::span<const std::uint32_t> cpus) {
  auto owned = std::make_unique<Work>(std::move(work));
  pthread_t handle{};
  if (const int code = create(handle, owned.get(), cpus); code != 0) {
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

void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace mpsbench
