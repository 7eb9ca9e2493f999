// What a sending thread sleeps on: sockets, one timer, and a bell that other threads may ring.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "base/unique_fd.h"
#include "load/load_spec.h"

namespace mpsbench {

// Thread: worker, except for ring().
class EventLoop {
 public:
  // LOAD_FAILED where the system has no descriptors left.
  [[nodiscard]] Status set_up();
  // To watch sockets with; tokens are below 2^64 - 2.
  [[nodiscard]] int epoll_fd() const { return epoll_.get(); }

  // Wakes the loop at that time (CLOCK_MONOTONIC) at the latest. A timer that is set too early costs one turn; so it
  // is moved only to come earlier.
  void wake_by(std::int64_t time_ns);
  // The next events of sockets; none when only the timer or the bell woke the loop. `at_once`: does not sleep.
  std::span<const epoll_event> wait(bool at_once);
  // When the timer that ended the last wait was to fire; kNever where none did.
  [[nodiscard]] std::int64_t fired_ns() const { return fired_ns_; }

  // Thread: any. Ends the wait, or the next one.
  void ring() const;

 private:
  UniqueFd epoll_;
  UniqueFd timer_;
  UniqueFd bell_;
  std::array<epoll_event, 256> events_{};
  std::int64_t armed_ns_ = kNever;
  std::int64_t fired_ns_ = kNever;
};

}  // namespace mpsbench
