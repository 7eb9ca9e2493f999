#include "load/event_loop.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace mpsbench {
namespace {

constexpr std::uint64_t kTimerToken = ~std::uint64_t{0};
constexpr std::uint64_t kBellToken = kTimerToken - 1;

Error system_error(const char* call) {
  const int code = errno;
  const std::string why = std::strerror(code);
  return {"LOAD_FAILED", std::string(call) + " failed for a sending thread (" + why + "): raise the limit (ulimit -n)",
          code};
}

}  // namespace

Status EventLoop::set_up() {
  epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return system_error("epoll_create1");
  timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer_.valid()) return system_error("timerfd_create");
  bell_ = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!bell_.valid()) return system_error("eventfd");
  for (const auto& [fd, token] : {std::pair{timer_.get(), kTimerToken}, std::pair{bell_.get(), kBellToken}}) {
    epoll_event watched{};
    watched.events = EPOLLIN | EPOLLET;
    watched.data.u64 = token;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &watched) != 0) return system_error("epoll_ctl");
  }
  return Ok{};
}

void EventLoop::wake_by(std::int64_t time_ns) {
  if (time_ns >= armed_ns_) return;
  armed_ns_ = time_ns;
  itimerspec at{};
  at.it_value.tv_sec = time_ns / 1'000'000'000;
  at.it_value.tv_nsec = time_ns % 1'000'000'000;
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
}

std::span<const epoll_event> EventLoop::wait(bool at_once) {
  fired_ns_ = kNever;
  const int most = static_cast<int>(events_.size());
  const int count = std::max(::epoll_wait(epoll_.get(), events_.data(), most, at_once ? 0 : -1), 0);
  const auto end = std::remove_if(events_.begin(), events_.begin() + count, [this](const epoll_event& event) {
    if (event.data.u64 == kTimerToken) fired_ns_ = std::exchange(armed_ns_, kNever);
    return event.data.u64 >= kBellToken;
  });
  return {events_.begin(), end};
}

void EventLoop::ring() const {
  const std::uint64_t one = 1;
  // Fails only when it was rung before.
  (void)!::write(bell_.get(), &one, sizeof one);
}

}  // namespace mpsbench
