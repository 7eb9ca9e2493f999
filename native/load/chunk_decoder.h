// Finds the bytes of a body in a chunked stream, and where it ends.
#pragma once

#include <cstddef>
#include <cstdint>

#include "load/parse_fault.h"

namespace mpsbench {

// Bytes that one step took, of which the first `body` belong to the body.
struct ChunkStep {
  std::size_t taken = 0;
  std::size_t body = 0;
};

// Extensions and trailers are checked and left out. Thread: one.
class ChunkDecoder {
 public:
  void start();
  // Takes one or more bytes of `size`, which is not 0. Not to be called after done() or a fault().
  ChunkStep step(const char* data, std::size_t size);
  [[nodiscard]] bool done() const { return state_ == State::kDone; }
  [[nodiscard]] ParseFault fault() const { return fault_; }

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kLastLf,
    kDone,
  };

  void step_line(char byte);
  void step_size(char byte);
  void step_trailer(char byte);
  void bad(ParseFault fault) { fault_ = fault; }

  State state_ = State::kSize;
  ParseFault fault_ = ParseFault::kNone;
  bool has_digit_ = false;
  std::uint8_t digits_ = 0;
  std::uint32_t line_bytes_ = 0;
  std::uint64_t left_ = 0;
};

}  // namespace mpsbench
