#include "load/chunk_decoder.h"

#include <algorithm>

#include "load/http_characters.h"

namespace mpsbench {
namespace {

// More digits than any chunk has bytes; below, no sum overflows.
constexpr std::uint8_t kMostHexDigits = 15;

int hex_value(char byte) {
  if (is_digit(byte)) return byte - '0';
  const char low = lower(byte);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

void ChunkDecoder::start() { *this = ChunkDecoder(); }

ChunkStep ChunkDecoder::step(const char* data, std::size_t size) {
  if (state_ == State::kData) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size));
    left_ -= taken;
    if (left_ == 0) state_ = State::kDataCr;
    return {taken, taken};
  }
  line_bytes_ += 1;
  if (line_bytes_ > kMostHeadBytes)
    bad(ParseFault::kHeadTooLong);
  else
    step_line(*data);
  return {1, 0};
}

void ChunkDecoder::step_line(char byte) {
  switch (state_) {
    case State::kSize:
      return step_size(byte);
    case State::kExtension:
      if (byte == '\r')
        state_ = State::kSizeLf;
      else if (!is_text(byte))
        bad(ParseFault::kChunk);
      return;
    case State::kSizeLf:
      if (byte != '\n') return bad(ParseFault::kChunk);
      line_bytes_ = 0;
      state_ = left_ > 0 ? State::kData : State::kTrailerStart;
      return;
    case State::kDataCr:
      if (byte != '\r') return bad(ParseFault::kChunk);
      state_ = State::kDataLf;
      return;
    case State::kDataLf:
      if (byte != '\n') return bad(ParseFault::kChunk);
      has_digit_ = false;
      digits_ = 0;
      line_bytes_ = 0;
      state_ = State::kSize;
      return;
    default:
      return step_trailer(byte);
  }
}

void ChunkDecoder::step_size(char byte) {
  const int value = hex_value(byte);
  if (value >= 0) {
    if (left_ > 0 && ++digits_ >= kMostHexDigits) return bad(ParseFault::kChunk);
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    has_digit_ = true;
  } else if (!has_digit_) {
    bad(ParseFault::kChunk);
  } else if (byte == '\r') {
    state_ = State::kSizeLf;
  } else if (byte == ';' || is_blank(byte)) {
    state_ = State::kExtension;
  } else {
    bad(ParseFault::kChunk);
  }
}

void ChunkDecoder::step_trailer(char byte) {
  switch (state_) {
    case State::kTrailerStart:
      if (byte == '\r')
        state_ = State::kLastLf;
      else if (is_token(byte))
        state_ = State::kTrailer;
      else
        bad(ParseFault::kHeaderLine);
      return;
    case State::kTrailer:
      if (byte == '\r')
        state_ = State::kTrailerLf;
      else if (!is_text(byte))
        bad(ParseFault::kHeaderLine);
      return;
    case State::kTrailerLf:
      if (byte == '\n')
        state_ = State::kTrailerStart;
      else
        bad(ParseFault::kHeaderLine);
      return;
    default:
      if (byte == '\n')
        state_ = State::kDone;
      else
        bad(ParseFault::kHeaderLine);
      return;
  }
}

}  // namespace mpsbench
