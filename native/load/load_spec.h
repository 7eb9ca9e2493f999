// What the engine is asked to send: plain data, validated by its caller.
#pragma once

#include <sys/socket.h>

#include <bitset>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mpsbench {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kStatusLimit = 1000;

// One address of a server.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
};

// Bytes of a request that differ from one request to the next.
struct TemplateField {
  // In the order of templateFieldKinds in lib/load/body-template.ts.
  enum class Kind : std::uint8_t { kCounter, kRandom, kUuid, kCount };

  // Into PreparedRequest::bytes.
  std::size_t offset = 0;
  std::uint32_t width = 0;
  Kind kind = Kind::kCounter;
  // Of the random numbers of a request, the first that is the field's own.
  std::uint32_t first_draw = 0;
};

constexpr std::size_t kUuidWidth = 36;

// Random numbers that each request of a template has for itself.
constexpr std::uint64_t kDrawsPerRequest = 64;

// Head and body as they go over the wire.
struct PreparedRequest {
  std::string bytes;
  std::uint64_t body_bytes = 0;
  // None for a request that is always the same.
  std::vector<TemplateField> fields = {};
};

// When a run measures; times are CLOCK_MONOTONIC, ns.
struct MeasurementWindow {
  std::int64_t start_ns = 0;
  // Nothing falls due from here on; kNever for a run by number of requests.
  std::int64_t deadline_ns = kNever;
  // Open loop: only so many of the schedule are sent.
  std::size_t schedule_length = std::numeric_limits<std::size_t>::max();
};

// Times are CLOCK_MONOTONIC, ns.
struct LoadSpec {
  // The addresses of each server, tried in order until one accepts; neither is empty. Connection number n of the run
  // is one to server n modulo their number.
  std::vector<std::vector<Endpoint>> servers;
  // The pool that each request is drawn from; not empty. It is there once for each server, one after the other.
  std::vector<PreparedRequest> requests;
  // Requests in the pool.
  [[nodiscard]] std::size_t pool() const { return requests.size() / servers.size(); }
  // State of the SplitMix64 stream that draws: the n-th request due takes its n-th number, whichever thread sends it.
  std::uint64_t payload_stream = 0;
  // Of a run that is a share of a larger one: its n-th request is that one's first_number + n * number_step.
  std::uint64_t first_number = 0;
  std::uint64_t number_step = 1;
  // State of the stream that fills templates: the n-th request has kDrawsPerRequest numbers from n times so many on.
  std::uint64_t template_stream = 0;
  // The method is HEAD: replies have no body.
  bool head = false;
  // The request says "Connection: close".
  bool close_each = false;
  std::bitset<kStatusLimit> ok_statuses;
  // At least as many connections as threads.
  std::uint32_t threads = 1;
  std::uint32_t connections = 1;
  // Where the threads may run; empty = anywhere.
  std::vector<std::uint32_t> cpus;
  // Open loop: times at which requests fall due, never decreasing, warm-up included. A closed loop has none.
  bool open_loop = false;
  std::vector<std::int64_t> schedule;
  std::int64_t measurement_start_ns = 0;
  // A closed loop sends nothing from here on; kNever for a run by number of requests.
  std::int64_t deadline_ns = kNever;
  // A closed loop measures so many; kNever for a run by duration.
  std::int64_t measured_requests = kNever;
  // From the due time to the last byte.
  std::int64_t timeout_ns = 0;
};

}  // namespace mpsbench
