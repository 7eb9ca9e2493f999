// What the clients of the io_uring trial have in common: connections, and the load engine's books for each request.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "load/load_spec.h"
#include "load/record_ring.h"
#include "load/response_parser.h"

namespace mpsbench {

// Gives up at the first failure: it is for a server that does not fail. No time limits, no pool of requests, no
// reconnecting, no watch over itself: what a loop cannot do without. Thread: one, but for drain().
class BareClient {
 public:
  // Thread: one other.
  void drain(std::vector<RequestRecord>& into, std::size_t most) { rows_.drain(into, most); }

 protected:
  struct Peer {
    UniqueFd fd;
    ResponseParser parser;
    std::int64_t sent_ns = 0;
  };

  // `spec` outlives the client.
  explicit BareClient(const LoadSpec& spec);
  [[nodiscard]] Status connect_all(int flags);
  [[nodiscard]] const std::string& request() const { return spec_.requests.front().bytes; }
  // Before a request is sent.
  void start(Peer& peer);
  // After its reply: whether another one is due.
  [[nodiscard]] bool complete(Peer& peer);
  void fail(const char* what, int code);
  [[nodiscard]] bool over() const { return failed_ || last_ns_ >= spec_.deadline_ns; }
  [[nodiscard]] Status ending() const;

  const LoadSpec& spec_;
  std::vector<Peer> peers_;

 private:
  RecordRing rows_;
  std::int64_t last_ns_ = 0;
  Error failure_;
  bool failed_ = false;
};

}  // namespace mpsbench
