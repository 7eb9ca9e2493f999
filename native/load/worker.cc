#include "load/worker.h"

#include <algorithm>

#include "base/clock.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kShortestPauseNs = 10'000'000;
constexpr std::int64_t kLongestPauseNs = 100'000'000;
constexpr std::int64_t kRoomPollNs = 200'000;

}  // namespace

Result<std::unique_ptr<Worker>> Worker::create(const LoadSpec& spec, const RequestPages& pages, std::uint32_t number) {
  const std::uint32_t share = spec.connections / spec.threads + (number < spec.connections % spec.threads ? 1 : 0);
  std::unique_ptr<Worker> worker(new Worker(spec, pages, number, share));
  const Status ready = worker->loop_.set_up();
  if (!ready.ok()) return ready.error();
  return worker;
}

Worker::Worker(const LoadSpec& spec, const RequestPages& pages, std::uint32_t number, std::uint32_t connections)
    : spec_(spec),
      pages_(pages),
      connections_(connections),
      in_flight_(connections_),
      paused_(connections_),
      targets_(spec, number),
      free_(spec.servers.size(), connections),
      issuer_(spec, number),
      texts_(spec),
      rows_(ring_rows(spec.measured_requests, spec.measurement_start_ns > now_ns())),
      buffer_(std::make_unique<ReadBuffer>()) {
  freed_.reserve(connections);
  serving_.reserve(connections);
  for (std::uint32_t index = connections; index-- > 0;)
    spec.open_loop ? free_.put(index, targets_.server_of(index)) : freed_.push_back(index);
}

void Worker::tell(Order order) {
  order_.store(order, std::memory_order_release);
  loop_.ring();
}

void Worker::run() {
  turn({}, now_ns());
  while (!finished()) {
    loop_.wake_by(next_wake_ns());
    const auto events = loop_.wait(!freed_.empty());
    if (order_.load(std::memory_order_acquire) != Order::kGoOn) {
      cut_off();
      break;
    }
    turn(events, now_ns());
  }
  for (Connection& connection : connections_) connection.close();
}

void Worker::turn(std::span<const epoll_event> events, std::int64_t woken_ns) {
  last_ns_ = woken_ns;
  // All that is ready is read before anything is sent: a send takes several times as long as a receive, and the reply
  // behind it would be timed that much too late. It also costs less than to go to and fro.
  for (const epoll_event& event : events) on_event(static_cast<std::uint32_t>(event.data.u64), event.events);
  serve_freed();
  last_ns_ = now_ns();
  if (!paused_.empty()) resume(last_ns_);
  expire(last_ns_);
  if (spec_.open_loop) fill(last_ns_);
  serve_freed();
  outstanding_.store(count_outstanding(), std::memory_order_relaxed);
  note_lag(woken_ns);
}

// A turn keeps the loop from noticing what comes meanwhile; a late wake-up has done so before.
void Worker::note_lag(std::int64_t woken_ns) {
  if (woken_ns < issuer_.measurement_start_ns() || woken_ns >= issuer_.deadline_ns()) return;
  lag_.record(now_ns() - std::min(loop_.fired_ns(), woken_ns));
}

std::int64_t Worker::next_wake_ns() const {
  std::int64_t wanted = issuer_.next_due_ns();
  std::int64_t oldest = issuer_.waiting_since_ns();
  if (!in_flight_.empty()) oldest = std::min(oldest, connections_[in_flight_.first()].due().due_ns);
  if (oldest != kNever) wanted = std::min(wanted, oldest + spec_.timeout_ns);
  if (!paused_.empty()) wanted = std::min(wanted, connections_[paused_.first()].resume_ns);
  return wanted;
}

void Worker::on_event(std::uint32_t index, std::uint32_t events) {
  Connection& connection = connections_[index];
  const bool hang_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  switch (connection.state()) {
    case Connection::State::kConnecting:
      if (connection.finish_connecting() == Io::kDone)
        connected(index);
      else
        cannot_connect(index);
      return;
    case Connection::State::kBusy:
      if (connection.sending() && (events & EPOLLOUT) != 0) send(index, false);
      if (connection.state() == Connection::State::kBusy && (hang_up || (events & EPOLLIN) != 0))
        receive(index, hang_up);
      return;
    case Connection::State::kIdle:
      // Nothing was asked: bytes are as unwelcome as the end, and nobody's failure.
      if (hang_up || (events & EPOLLIN) != 0) connection.close();
      return;
    case Connection::State::kClosed:
      return;
  }
}

void Worker::resume(std::int64_t now) {
  while (!paused_.empty() && connections_[paused_.first()].resume_ns <= now) {
    const std::uint32_t index = paused_.first();
    paused_.remove(index);
    freed_.push_back(index);
  }
}

void Worker::expire(std::int64_t now) {
  while (!in_flight_.empty() && connections_[in_flight_.first()].due().due_ns + spec_.timeout_ns <= now) {
    lose(in_flight_.first(), Outcome::kTimeout, 0);
  }
  if (!spec_.open_loop) return;
  while (issuer_.waiting_since_ns() != kNever && issuer_.waiting_since_ns() + spec_.timeout_ns <= now) {
    give_up_waiting(Outcome::kTimeout, now);
  }
}

void Worker::fill(std::int64_t now) {
  issuer_.advance(now);
  note_outstanding();
  while (!free_.empty()) {
    const auto due = issuer_.take_waiting();
    if (!due) return;
    start(free_.take(), *due);
  }
}

void Worker::cut_off() {
  const std::int64_t now = now_ns();
  while (!in_flight_.empty()) {
    const std::uint32_t index = in_flight_.first();
    end(index, Outcome::kAborted, 0, now);
    connections_[index].close();
  }
  if (!spec_.open_loop) return;
  issuer_.advance(std::min(now, issuer_.deadline_ns()));
  while (issuer_.waiting() > 0) give_up_waiting(Outcome::kAborted, now);
}

void Worker::start(std::uint32_t index, DueRequest due) {
  Connection& connection = connections_[index];
  due.body += targets_.first_request_of(index);
  connection.take(due, spec_.head);
  in_flight_.append(index);
  note_outstanding();
  if (connection.state() == Connection::State::kIdle) return send(index, true);
  connection.attempt = 0;
  connect(index);
}

void Worker::connect(std::uint32_t index) {
  Connection& connection = connections_[index];
  switch (connection.open(targets_.address(index, connection.attempt), loop_.epoll_fd(), index)) {
    case Io::kDone:
      return connected(index);
    case Io::kWait:
      return;
    default:
      return cannot_connect(index);
  }
}

void Worker::connected(std::uint32_t index) {
  targets_.reached(index, connections_[index].attempt);
  connections_[index].attempt = 0;
  failures_in_a_row_ = 0;
  connections_made_.fetch_add(1, std::memory_order_relaxed);
  send(index, true);
}

void Worker::cannot_connect(std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.attempt += 1;
  if (targets_.has_attempt(index, connection.attempt)) return connect(index);
  failures_in_a_row_ += 1;
  lose(index, Outcome::kConnect, connection.error());
}

void Worker::send(std::uint32_t index, bool first) {
  Connection& connection = connections_[index];
  const DueRequest& due = connection.due();
  const std::string_view bytes = texts_.of(due);
  const auto body_bytes = spec_.requests[due.body].body_bytes;
  const Io sent =
      first ? connection.start_sending(bytes, body_bytes, pages_.of(due.body), now_ns()) : connection.send_rest(bytes);
  // A server that answers early may close before it has read everything; its answer is there all the same.
  if (sent == Io::kLost) receive(index, true);
}

void Worker::receive(std::uint32_t index, bool hang_up) {
  Connection& connection = connections_[index];
  switch (connection.receive(buffer_->data(), buffer_->size(), hang_up)) {
    case Io::kWait:
      return;
    case Io::kDone:
      return complete(index);
    case Io::kBad:
      return lose(index, Outcome::kBadResponse, -static_cast<std::int32_t>(connection.parser().fault()));
    case Io::kLost:
      return lose(index, Outcome::kReset, connection.error());
  }
}

void Worker::complete(std::uint32_t index) {
  Connection& connection = connections_[index];
  const std::int64_t now = last_ns_ = now_ns();
  const std::uint16_t status = connection.parser().status();
  // The timer may come late; the limit holds all the same.
  const bool late = now > connection.due().due_ns + spec_.timeout_ns;
  const bool expected = spec_.ok_statuses[status];
  const bool keep = connection.reusable() && !spec_.close_each;
  if (late) {
    end(index, Outcome::kTimeout, 0, now);
  } else {
    if (!expected) excerpts_.add(status, connection.parser().excerpt());
    end(index, expected ? Outcome::kOk : Outcome::kStatus, 0, now);
  }
  if (!keep) connection.close();
  freed_.push_back(index);
}

void Worker::lose(std::uint32_t index, Outcome outcome, std::int32_t cause) {
  const std::int64_t now = last_ns_ = now_ns();
  end(index, outcome, cause, now);
  connections_[index].close();
  if (outcome == Outcome::kConnect && !spec_.open_loop) {
    // A server that refuses answers within microseconds; without a pause the run would be a flood.
    const std::int64_t rounds = failures_in_a_row_ / static_cast<std::int64_t>(connections_.size());
    connections_[index].resume_ns = now + std::min(kLongestPauseNs, kShortestPauseNs * (1 + rounds));
    paused_.append(index);
    return;
  }
  freed_.push_back(index);
}

void Worker::end(std::uint32_t index, Outcome outcome, std::int32_t cause, std::int64_t end_ns) {
  Connection& connection = connections_[index];
  RequestRecord row = connection.record(outcome, cause, end_ns, spec_.open_loop);
  row.connection = targets_.number_of(index);
  in_flight_.remove(index);
  connection.end_request();
  push(row);
}

void Worker::free(std::uint32_t index) {
  const auto due = spec_.open_loop ? issuer_.take_waiting() : issuer_.claim(last_ns_);
  if (!due) return free_.put(index, targets_.server_of(index));
  if (issuer_.last_issue_ns() != kNever) last_issue_ns_.store(issuer_.last_issue_ns(), std::memory_order_release);
  start(index, *due);
}

// What is freed while this goes on waits for the next call, so that a server that breaks every connection at once
// cannot keep the loop from its other business.
void Worker::serve_freed() {
  std::swap(freed_, serving_);
  for (const std::uint32_t index : serving_) free(index);
  serving_.clear();
}

void Worker::give_up_waiting(Outcome outcome, std::int64_t now) {
  if (const auto due = issuer_.take_waiting()) push(given_up(*due, outcome, now));
}

// Rows wait for room rather than be lost. The wait shows as lag of this loop.
void Worker::push(const RequestRecord& row) {
  while (!rows_.push(row)) {
    if (order_.load(std::memory_order_acquire) == Order::kAbandon) return;
    const timespec pause{0, kRoomPollNs};
    ::nanosleep(&pause, nullptr);
  }
}

std::int64_t Worker::count_outstanding() const { return in_flight_.size() + (spec_.open_loop ? issuer_.waiting() : 0); }

void Worker::note_outstanding() {
  const std::int64_t outstanding = count_outstanding();
  if (outstanding > outstanding_max_.load(std::memory_order_relaxed)) {
    outstanding_max_.store(outstanding, std::memory_order_relaxed);
  }
}

}  // namespace mpsbench
