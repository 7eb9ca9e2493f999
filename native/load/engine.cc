#include "load/engine.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/scheduling.h"

namespace mpsbench {
namespace {

// One CPU each where there are as many as threads; else all of them for every thread.
std::span<const std::uint32_t> cpus_of(const LoadSpec& spec, std::size_t thread) {
  const std::span<const std::uint32_t> all(spec.cpus);
  return all.size() == spec.threads ? all.subspan(thread, 1) : all;
}

}  // namespace

Result<std::unique_ptr<LoadEngine>> LoadEngine::start(LoadSpec spec, std::function<void()> on_done) {
  std::unique_ptr<LoadEngine> engine(new LoadEngine(std::move(spec), std::move(on_done)));
  for (std::uint32_t number = 0; number < engine->spec_.threads; ++number) {
    auto worker = Worker::create(engine->spec_, engine->pages_, number);
    if (!worker.ok()) return worker.error();
    engine->workers_.push_back(std::move(worker.value()));
  }
  LoadEngine* self = engine.get();
  self->running_ = self->workers_.size();
  for (const auto& worker : self->workers_) {
    const auto work = [self, sending = worker.get()] {
      block_signals();
      ask_for_short_slice();
      sending->run();
      if (self->running_.fetch_sub(1) == 1) self->on_done_();
    };
    Result<Thread> thread = Thread::start(work, cpus_of(self->spec_, self->threads_.size()));
    // The count still holds the threads that were not started, so that on_done is not called for half an engine.
    if (!thread.ok()) return thread.error();
    self->threads_.push_back(std::move(thread.value()));
  }
  return engine;
}

void LoadEngine::stop() {
  for (const auto& worker : workers_) worker->stop();
}

void LoadEngine::begin_measurement(const MeasurementWindow& window) {
  for (const auto& worker : workers_) worker->begin_measurement(window);
}

void LoadEngine::close() {
  for (const auto& worker : workers_) worker->abandon();
  for (Thread& thread : threads_) thread.join();
  threads_.clear();
}

void LoadEngine::drain(std::vector<RequestRecord>& into, std::size_t most) {
  for (const auto& worker : workers_) worker->drain(into, most - into.size());
}

std::int64_t LoadEngine::connections_made() const {
  std::int64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->connections_made();
  return sum;
}

std::int64_t LoadEngine::outstanding() const {
  std::int64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->outstanding();
  return sum;
}

std::int64_t LoadEngine::outstanding_max() const {
  std::int64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->outstanding_max();
  return sum;
}

std::int64_t LoadEngine::issuing_end_ns() const {
  std::int64_t end = kNever;
  for (const auto& worker : workers_) end = std::min({end, worker->deadline_ns(), worker->last_issue_ns()});
  return end;
}

LagHistogram LoadEngine::lag() const {
  LagHistogram all;
  for (const auto& worker : workers_) all.add(worker->lag());
  return all;
}

}  // namespace mpsbench
