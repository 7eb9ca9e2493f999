// What came of one request: the row that crosses from the sending threads to JavaScript.
#pragma once

#include <cstdint>
#include <limits>

namespace mpsbench {

// In the order of outcomeNames in lib/records/load.ts.
enum class Outcome : std::uint8_t { kOk, kStatus, kConnect, kReset, kTimeout, kBadResponse, kAborted };

enum class LoadPhase : std::uint8_t { kWarmup, kMeasurement };

constexpr std::int64_t kNotSent = -1;
// Of a time or a connection that nobody knows.
constexpr std::int64_t kNoTime = -1;
constexpr std::uint32_t kNoConnection = std::numeric_limits<std::uint32_t>::max();

// Times are CLOCK_MONOTONIC, ns.
struct RequestRecord {
  // When it should have been sent; see Exchange in lib/load/exchange.ts, whose rule this is.
  std::int64_t intended_ns = 0;
  // kNotSent for a request that was given up before it was written.
  std::int64_t sent_ns = kNotSent;
  // When the first bytes of the reply were read; kNoTime for a request that got none.
  std::int64_t first_byte_ns = kNoTime;
  std::int64_t end_ns = 0;
  // Bytes of the bodies; heads are not counted.
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  // DueRequest::number, modulo 2^32.
  std::uint32_t number = 0;
  // Which of the run's connections carried it; one that was made anew keeps its number.
  std::uint32_t connection = kNoConnection;
  // Why it failed: an errno, or minus a ParseFault; 0 where neither tells more than the outcome.
  std::int32_t cause = 0;
  // Of a complete reply, else 0.
  std::uint16_t status = 0;
  Outcome outcome = Outcome::kOk;
  // Bit 0: measured, not warm-up. Bit 1: the connection had served before and no head of a reply came.
  std::uint8_t flags = 0;
};
static_assert(sizeof(RequestRecord) == 64);

constexpr std::uint8_t kMeasuredFlag = 1;
constexpr std::uint8_t kReusedUnansweredFlag = 2;

}  // namespace mpsbench
