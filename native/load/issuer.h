// Which requests a worker sends, and when: its share of the schedule or of the closed loop, and no I/O.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "load/load_spec.h"
#include "load/request_record.h"

namespace mpsbench {

// A request that is due.
struct DueRequest {
  std::int64_t due_ns = 0;
  // Its place among all requests of the run, from 0, in the order in which they fall due; a share has those of the whole.
  std::uint64_t number = 0;
  // Index into the pool, which is the first part of LoadSpec::requests.
  std::uint32_t body = 0;
  LoadPhase phase = LoadPhase::kWarmup;
};

// A request belongs to the phase in which it falls due. Thread: worker.
class Issuer {
 public:
  // `spec` outlives the issuer. Worker number `worker` has every spec.threads-th request from its own number on.
  Issuer(const LoadSpec& spec, std::uint32_t worker);

  // The warm-up ends before the time that the spec gave it: at a moment that is still to come. Thread: any.
  void begin_measurement(const MeasurementWindow& window);
  // Thread: any.
  [[nodiscard]] std::int64_t measurement_start_ns() const { return start_ns_.load(std::memory_order_acquire); }
  [[nodiscard]] std::int64_t deadline_ns() const { return deadline_ns_.load(std::memory_order_acquire); }

  // Closed loop: the request that a connection sends now; none once the run sends no more.
  std::optional<DueRequest> claim(std::int64_t now_ns);

  // Open loop: moves what is due by now into the line.
  void advance(std::int64_t now_ns);
  // The first of the line.
  std::optional<DueRequest> take_waiting();
  [[nodiscard]] std::int64_t waiting() const { return static_cast<std::int64_t>((due_ - head_) / stride_); }
  // Due time of the first of the line; kNever where none waits.
  [[nodiscard]] std::int64_t waiting_since_ns() const;
  // When the next request falls due; kNever where none does.
  [[nodiscard]] std::int64_t next_due_ns() const;

  // Nothing more falls due, and nothing waits.
  [[nodiscard]] bool exhausted() const;
  // When the last request of a run by number was issued; kNever until then. Closed loop.
  [[nodiscard]] std::int64_t last_issue_ns() const { return last_issue_ns_; }

 private:
  DueRequest request(std::int64_t due_ns, LoadPhase phase);
  [[nodiscard]] std::uint32_t draw(std::uint64_t number) const;
  // Of the schedule, what is sent.
  [[nodiscard]] std::size_t length() const { return schedule_length_.load(std::memory_order_acquire); }

  const LoadSpec& spec_;
  std::atomic<std::int64_t> start_ns_;
  std::atomic<std::int64_t> deadline_ns_;
  std::atomic<std::size_t> schedule_length_;
  std::size_t stride_;
  // Open loop: first of the line, and first that is not due yet; steps of stride_.
  std::size_t head_;
  std::size_t due_;
  // Of the next request, within this run.
  std::uint64_t number_;
  // Closed loop.
  std::int64_t quota_;
  std::int64_t measured_ = 0;
  std::int64_t last_issue_ns_ = kNever;
  bool ended_ = false;
};

}  // namespace mpsbench
