// The body of a reply: its bytes are counted, the first of them kept, the rest skipped.
#include <algorithm>
#include <cstring>

#include "load/response_parser.h"

namespace mpsbench {

std::size_t ResponseParser::skippable() const {
  return state_ == State::kBodyLength && excerpt_length_ == kExcerptBytes ? static_cast<std::size_t>(left_) : 0;
}

ParseState ResponseParser::skip(std::size_t size) {
  body_bytes_ += size;
  left_ -= size;
  consumed_ = size;
  if (left_ == 0) state_ = State::kDone;
  return left_ == 0 ? ParseState::kComplete : ParseState::kMore;
}

void ResponseParser::body_starts() {
  if (head_request_ || status_ == 204 || status_ == 304) {
    state_ = State::kDone;
  } else if (chunked_) {
    chunks_.start();
    state_ = State::kChunked;
  } else if (has_length_) {
    left_ = length_;
    state_ = left_ == 0 ? State::kDone : State::kBodyLength;
  } else {
    by_close_ = true;
    state_ = State::kBodyClose;
  }
}

std::size_t ResponseParser::take_body(const char* data, std::size_t size) {
  if (state_ == State::kBodyClose) {
    keep(data, size);
    return size;
  }
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size));
  keep(data, taken);
  left_ -= taken;
  if (left_ == 0) state_ = State::kDone;
  return taken;
}

std::size_t ResponseParser::take_chunked(const char* data, std::size_t size) {
  const ChunkStep step = chunks_.step(data, size);
  keep(data, step.body);
  if (chunks_.done())
    state_ = State::kDone;
  else if (chunks_.fault() != ParseFault::kNone)
    bad(chunks_.fault());
  return step.taken;
}

void ResponseParser::keep(const char* data, std::size_t size) {
  const std::size_t kept = std::min(size, kExcerptBytes - excerpt_length_);
  if (kept > 0) std::memcpy(excerpt_.data() + excerpt_length_, data, kept);
  excerpt_length_ = static_cast<std::uint8_t>(excerpt_length_ + kept);
  body_bytes_ += size;
}

}  // namespace mpsbench
