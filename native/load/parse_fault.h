// Why a reply is refused, and the limits that it is held to.
#pragma once

#include <cstdint>

namespace mpsbench {

// Bytes that all heads of one reply may have together; also the line of a chunk, and all trailers.
constexpr std::uint32_t kMostHeadBytes = 32 * 1024;

enum class ParseFault : std::uint8_t {
  kNone,
  kStatusLine,
  kHeaderLine,
  kHeadTooLong,
  kContentLength,
  kTransferEncoding,
  kLengthAndEncoding,
  kChunk,
  kSwitch,
  kCount,
};

// For people, in English.
[[nodiscard]] const char* fault_text(ParseFault fault);

}  // namespace mpsbench
