// Which requests a worker sends, and when.
#include "load/issuer.h"

#include <set>
#include <vector>

#include "check.h"
#include "load/lag_histogram.h"
#include "load/record_ring.h"

namespace mpsbench {
namespace {

using test::Check;

LoadSpec spec_of(std::size_t pool, std::uint32_t threads) {
  LoadSpec spec;
  spec.servers.resize(1);
  spec.requests.resize(pool);
  spec.threads = threads;
  spec.connections = threads;
  spec.payload_stream = 0x1234;
  spec.timeout_ns = 1000;
  return spec;
}

void a_closed_loop_counts_only_what_falls_due_in_the_measurement(Check& check) {
  LoadSpec spec = spec_of(1, 1);
  spec.measurement_start_ns = 100;
  spec.measured_requests = 2;
  Issuer issuer(spec, 0);
  for (const std::int64_t now_ns : {0, 50, 99}) CHECK_THAT(check, issuer.claim(now_ns)->phase == LoadPhase::kWarmup);
  CHECK_THAT(check, issuer.claim(100)->phase == LoadPhase::kMeasurement);
  CHECK_THAT(check, issuer.last_issue_ns() == kNever && !issuer.exhausted());
  CHECK_THAT(check, issuer.claim(150)->due_ns == 150 && issuer.last_issue_ns() == 150);
  CHECK_THAT(check, !issuer.claim(151) && issuer.exhausted());
}

void a_share_of_a_larger_run_has_the_numbers_and_bodies_of_the_whole(Check& check) {
  LoadSpec whole = spec_of(5, 1);
  Issuer all(whole, 0);
  std::vector<std::uint32_t> bodies;
  for (int number = 0; number < 30; ++number) bodies.push_back(all.claim(0)->body);
  LoadSpec share = spec_of(5, 2);
  share.first_number = 1;
  share.number_step = 3;
  Issuer first(share, 0);
  Issuer second(share, 1);
  for (std::size_t number = 1; number < 30; number += 6) {
    const auto one = first.claim(0);
    CHECK_THAT(check, one->number == number && one->body == bodies[number]);
    const auto other = second.claim(0);
    CHECK_THAT(check, other->number == number + 3 && (number + 3 >= 30 || other->body == bodies[number + 3]));
  }
}

void a_closed_loop_sends_nothing_from_its_deadline_on(Check& check) {
  LoadSpec spec = spec_of(1, 1);
  spec.deadline_ns = 100;
  Issuer issuer(spec, 0);
  CHECK_THAT(check, issuer.claim(99).has_value());
  CHECK_THAT(check, !issuer.claim(100) && issuer.exhausted());
}

void a_warm_up_that_ends_early_moves_start_and_deadline(Check& check) {
  LoadSpec spec = spec_of(1, 1);
  spec.measurement_start_ns = 1000;
  spec.deadline_ns = 1100;
  Issuer issuer(spec, 0);
  CHECK_THAT(check, issuer.claim(10)->phase == LoadPhase::kWarmup);
  issuer.begin_measurement({50, 150});
  CHECK_THAT(check, issuer.claim(49)->phase == LoadPhase::kWarmup);
  CHECK_THAT(check, issuer.claim(50)->phase == LoadPhase::kMeasurement);
  CHECK_THAT(check, issuer.claim(149)->number == 3 && !issuer.claim(150) && issuer.exhausted());
}

void a_warm_up_that_ends_early_cuts_the_schedule(Check& check) {
  LoadSpec spec = spec_of(1, 1);
  spec.open_loop = true;
  spec.schedule = {10, 20, 30, 40, 50};
  spec.measurement_start_ns = 40;
  Issuer issuer(spec, 0);
  issuer.advance(10);
  issuer.begin_measurement({20, kNever, 3});
  issuer.advance(100);
  CHECK_THAT(check, issuer.waiting() == 3 && issuer.next_due_ns() == kNever);
  CHECK_THAT(check, issuer.take_waiting()->phase == LoadPhase::kWarmup);
  CHECK_THAT(check, issuer.take_waiting()->phase == LoadPhase::kMeasurement);
  CHECK_THAT(check, issuer.take_waiting()->due_ns == 30 && issuer.exhausted());
}

void threads_share_a_number_of_requests_out(Check& check) {
  LoadSpec spec = spec_of(1, 3);
  spec.measured_requests = 8;
  std::vector<int> counts;
  for (std::uint32_t worker = 0; worker < 3; ++worker) {
    Issuer issuer(spec, worker);
    int count = 0;
    while (issuer.claim(0)) count += 1;
    counts.push_back(count);
  }
  CHECK_THAT(check, counts == std::vector<int>{3, 3, 2});
}

void an_open_loop_lines_up_what_is_due_in_order(Check& check) {
  LoadSpec spec = spec_of(1, 1);
  spec.open_loop = true;
  spec.schedule = {10, 20, 20, 40};
  spec.measurement_start_ns = 20;
  Issuer issuer(spec, 0);
  issuer.advance(9);
  CHECK_THAT(check, issuer.waiting() == 0 && issuer.next_due_ns() == 10 && issuer.waiting_since_ns() == kNever);
  issuer.advance(20);
  CHECK_THAT(check, issuer.waiting() == 3 && issuer.next_due_ns() == 40 && issuer.waiting_since_ns() == 10);
  CHECK_THAT(check, issuer.take_waiting()->phase == LoadPhase::kWarmup);
  CHECK_THAT(check, issuer.take_waiting()->phase == LoadPhase::kMeasurement);
  issuer.advance(100);
  CHECK_THAT(check, issuer.waiting() == 2 && issuer.next_due_ns() == kNever && !issuer.exhausted());
  CHECK_THAT(check, issuer.take_waiting()->due_ns == 20 && issuer.take_waiting()->due_ns == 40);
  CHECK_THAT(check, !issuer.take_waiting() && issuer.exhausted());
}

void threads_take_every_request_of_a_schedule_once(Check& check) {
  for (const std::uint32_t threads : {1U, 2U, 3U, 7U}) {
    LoadSpec spec = spec_of(1, threads);
    spec.open_loop = true;
    for (std::int64_t due_ns = 0; due_ns < 5; ++due_ns) spec.schedule.push_back(due_ns);
    std::multiset<std::int64_t> seen;
    for (std::uint32_t worker = 0; worker < threads; ++worker) {
      Issuer issuer(spec, worker);
      issuer.advance(1000);
      while (const auto due = issuer.take_waiting()) seen.insert(due->due_ns);
      CHECK_THAT(check, issuer.exhausted() && issuer.waiting() == 0);
    }
    CHECK_THAT(check, seen == std::multiset<std::int64_t>{0, 1, 2, 3, 4});
  }
}

void threads_draw_the_bodies_that_one_would(Check& check) {
  LoadSpec one = spec_of(5, 1);
  one.measured_requests = 30;
  Issuer alone(one, 0);
  std::vector<std::uint32_t> drawn;
  while (const auto due = alone.claim(0)) drawn.push_back(due->body);
  LoadSpec two = one;
  two.threads = 2;
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    Issuer issuer(two, worker);
    for (std::size_t number = worker; number < 30; number += 2)
      CHECK_THAT(check, issuer.claim(0)->body == drawn[number]);
  }
  CHECK_THAT(check, std::set<std::uint32_t>(drawn.begin(), drawn.end()).size() == 5);
}

void a_ring_gives_every_row_once_and_refuses_when_full(Check& check) {
  RecordRing ring(4);
  std::vector<RequestRecord> rows;
  std::int64_t pushed = 0;
  for (int round = 0; round < 10; ++round) {
    RequestRecord row;
    while (row.end_ns = pushed, ring.push(row)) pushed += 1;
    ring.drain(rows, 3);
    ring.drain(rows, 3);
  }
  CHECK_THAT(check, rows.size() == 40);
  for (std::size_t index = 0; index < rows.size(); ++index) {
    CHECK_THAT(check, rows[index].end_ns == static_cast<std::int64_t>(index));
  }
}

void lag_quantiles_are_at_most_an_eighth_above_the_truth(Check& check) {
  LagHistogram lag;
  for (std::int64_t value = 1; value <= 1000; ++value) lag.record(value * 1000);
  CHECK_THAT(check, lag.total() == 1000 && lag.most_ns() == 1'000'000);
  for (const double probability : {0.01, 0.5, 0.9, 0.99}) {
    const auto quantile = static_cast<double>(lag.quantile_ns(probability));
    CHECK_THAT(check, quantile >= probability * 1e6 && quantile <= probability * 1e6 * 1.13);
  }
  CHECK_THAT(check, lag.quantile_ns(1) == 1'000'000);
  LagHistogram extreme;
  for (const std::int64_t value : {INT64_MAX, std::int64_t{-5}, std::int64_t{0}, std::int64_t{7}})
    extreme.record(value);
  CHECK_THAT(check, extreme.quantile_ns(0.25) == 0 && extreme.quantile_ns(0.75) == 7 && extreme.most_ns() == INT64_MAX);
}

constexpr test::Case kCases[] = {
    {"a warm-up that ends early moves start and deadline", a_warm_up_that_ends_early_moves_start_and_deadline},
    {"a warm-up that ends early cuts the schedule", a_warm_up_that_ends_early_cuts_the_schedule},
    {"a closed loop counts only what falls due in the measurement",
     a_closed_loop_counts_only_what_falls_due_in_the_measurement},
    {"a share of a larger run has the numbers and bodies of the whole",
     a_share_of_a_larger_run_has_the_numbers_and_bodies_of_the_whole},
    {"a closed loop sends nothing from its deadline on", a_closed_loop_sends_nothing_from_its_deadline_on},
    {"threads share a number of requests out", threads_share_a_number_of_requests_out},
    {"an open loop lines up what is due, in order", an_open_loop_lines_up_what_is_due_in_order},
    {"threads take every request of a schedule once", threads_take_every_request_of_a_schedule_once},
    {"threads draw the bodies that one would", threads_draw_the_bodies_that_one_would},
    {"a ring gives every row once and refuses when full", a_ring_gives_every_row_once_and_refuses_when_full},
    {"lag quantiles are at most an eighth above the truth", lag_quantiles_are_at_most_an_eighth_above_the_truth},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
