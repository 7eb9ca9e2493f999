#include "load/response_parser.h"

#include <algorithm>

#include "load/http_characters.h"

namespace mpsbench {
namespace {

// More digits than any body has bytes; below, no sum overflows.
constexpr std::uint8_t kMostDecimalDigits = 18;

}  // namespace

void ResponseParser::start(bool head) {
  head_request_ = head;
  fault_ = ParseFault::kNone;
  head_done_ = false;
  excerpt_length_ = 0;
  head_bytes_ = 0;
  body_bytes_ = 0;
  start_head();
}

void ResponseParser::start_head() {
  state_ = State::kVersion;
  status_ = 0;
  digits_ = 0;
  text_length_ = 0;
  has_length_ = has_encoding_ = chunked_ = says_close_ = says_keep_alive_ = by_close_ = false;
  length_ = left_ = 0;
}

bool ResponseParser::keeps_connection() const {
  if (state_ != State::kDone || says_close_ || by_close_) return false;
  return !version_1_0_ || says_keep_alive_;
}

ParseState ResponseParser::feed(const char* data, std::size_t size) {
  std::size_t at = 0;
  while (at < size && state_ != State::kDone && state_ != State::kBad) {
    if (state_ == State::kBodyLength || state_ == State::kBodyClose) {
      at += take_body(data + at, size - at);
      continue;
    }
    if (state_ == State::kChunked) {
      at += take_chunked(data + at, size - at);
      continue;
    }
    at += take_run(data + at, std::min<std::size_t>(size - at, kMostHeadBytes - head_bytes_));
    if (at == size) break;
    if (++head_bytes_ > kMostHeadBytes) {
      bad(ParseFault::kHeadTooLong);
      break;
    }
    step(data[at]);
    at += 1;
  }
  consumed_ = at;
  if (state_ == State::kBad) return ParseState::kBad;
  return state_ == State::kDone ? ParseState::kComplete : ParseState::kMore;
}

// Most of a head is names, and text that changes nothing: they are taken without a look at the state for each byte.
std::size_t ResponseParser::take_run(const char* data, std::size_t size) {
  std::size_t run = 0;
  if (state_ == State::kName) {
    for (; run < size && is_token(data[run]); ++run) name_byte(data[run]);
  } else if (state_ == State::kReason || (state_ == State::kValue && field_ == Field::kOther)) {
    while (run < size && is_text(data[run])) run += 1;
  }
  head_bytes_ += static_cast<std::uint32_t>(run);
  return run;
}

// A name that is too long to matter keeps the last place, which makes it none of those that do.
void ResponseParser::name_byte(char byte) {
  text_[text_length_] = lower(byte);
  if (text_length_ + 1U < text_.size()) text_length_ += 1;
}

ParseState ResponseParser::end_of_stream() {
  if (state_ != State::kBodyClose) return ParseState::kMore;
  state_ = State::kDone;
  return ParseState::kComplete;
}

void ResponseParser::step(char byte) {
  switch (state_) {
    case State::kVersion:
    case State::kStatusCode:
    case State::kReason:
    case State::kStatusLf:
      return step_status_line(byte);
    case State::kLineStart:
    case State::kName:
    case State::kValueStart:
    case State::kValue:
    case State::kValueLf:
    case State::kHeadLf:
      return step_header(byte);
    default:
      return;
  }
}

void ResponseParser::step_status_line(char byte) {
  if (state_ == State::kVersion) {
    constexpr std::string_view kStart = "HTTP/1.x ";
    const char expected = kStart[text_length_];
    const bool fits = expected == 'x' ? byte == '0' || byte == '1' : byte == expected;
    if (!fits) return bad(ParseFault::kStatusLine);
    if (expected == 'x') version_1_0_ = byte == '0';
    if (++text_length_ == kStart.size()) state_ = State::kStatusCode;
  } else if (state_ == State::kStatusCode) {
    if (digits_ < 3 && is_digit(byte)) {
      status_ = static_cast<std::uint16_t>(status_ * 10 + (byte - '0'));
      digits_ += 1;
    } else if (digits_ == 3 && status_ >= 100 && (byte == ' ' || byte == '\r')) {
      state_ = byte == ' ' ? State::kReason : State::kStatusLf;
    } else {
      bad(ParseFault::kStatusLine);
    }
  } else if (state_ == State::kReason) {
    if (byte == '\r')
      state_ = State::kStatusLf;
    else if (!is_text(byte))
      bad(ParseFault::kStatusLine);
  } else if (byte == '\n') {
    state_ = State::kLineStart;
  } else {
    bad(ParseFault::kStatusLine);
  }
}

void ResponseParser::step_header(char byte) {
  switch (state_) {
    case State::kLineStart:
      text_length_ = 0;
      if (byte == '\r') {
        state_ = State::kHeadLf;
        return;
      }
      state_ = State::kName;
      [[fallthrough]];
    case State::kName:
      if (byte == ':' && text_length_ > 0) return name_ends();
      if (!is_token(byte)) return bad(ParseFault::kHeaderLine);
      return name_byte(byte);
    case State::kValueStart:
      if (is_blank(byte)) return;
      state_ = State::kValue;
      [[fallthrough]];
    case State::kValue:
      return value_byte(byte);
    case State::kValueLf:
      return byte == '\n' ? void(state_ = State::kLineStart) : bad(ParseFault::kHeaderLine);
    default:
      return byte == '\n' ? head_ends() : bad(ParseFault::kHeaderLine);
  }
}

void ResponseParser::name_ends() {
  const std::string_view name(text_.data(), text_length_);
  field_ = Field::kOther;
  if (name == "content-length") {
    field_ = Field::kContentLength;
    if (has_length_) return bad(ParseFault::kContentLength);
    has_length_ = true;
    length_digits_ = length_blank_ = false;
    digits_ = 0;
  } else if (name == "transfer-encoding") {
    field_ = Field::kTransferEncoding;
    has_encoding_ = true;
  } else if (name == "connection") {
    field_ = Field::kConnection;
  }
  text_length_ = 0;
  state_ = State::kValueStart;
}

void ResponseParser::value_byte(char byte) {
  if (byte == '\r') {
    value_ends();
    if (state_ != State::kBad) state_ = State::kValueLf;
    return;
  }
  if (!is_text(byte)) return bad(ParseFault::kHeaderLine);
  if (field_ == Field::kContentLength)
    length_byte(byte);
  else if (field_ != Field::kOther)
    token_byte(byte);
}

void ResponseParser::length_byte(char byte) {
  if (is_blank(byte) && length_digits_) {
    length_blank_ = true;
    return;
  }
  if (!is_digit(byte) || length_blank_) return bad(ParseFault::kContentLength);
  length_digits_ = true;
  if (length_ > 0 && ++digits_ >= kMostDecimalDigits) return bad(ParseFault::kContentLength);
  length_ = length_ * 10 + static_cast<std::uint64_t>(byte - '0');
}

void ResponseParser::token_byte(char byte) {
  if (byte == ',') return token_ends();
  if (is_blank(byte) && text_length_ == 0) return;
  text_[text_length_] = lower(byte);
  if (text_length_ + 1U < text_.size()) text_length_ += 1;
}

void ResponseParser::token_ends() {
  std::string_view token(text_.data(), text_length_);
  while (!token.empty() && is_blank(token.back())) token.remove_suffix(1);
  text_length_ = 0;
  if (token.empty()) return;
  if (field_ == Field::kConnection) {
    says_close_ = says_close_ || token == "close";
    says_keep_alive_ = says_keep_alive_ || token == "keep-alive";
  } else if (chunked_) {
    // Nothing may be applied after chunked, itself included.
    bad(ParseFault::kTransferEncoding);
  } else {
    chunked_ = token == "chunked";
  }
}

void ResponseParser::value_ends() {
  if (field_ == Field::kContentLength) {
    if (!length_digits_) bad(ParseFault::kContentLength);
  } else if (field_ != Field::kOther) {
    token_ends();
  }
}

void ResponseParser::head_ends() {
  if (status_ == 101) return bad(ParseFault::kSwitch);
  if (status_ < 200) return start_head();
  head_done_ = true;
  if (has_length_ && has_encoding_) return bad(ParseFault::kLengthAndEncoding);
  if (status_ == 204 && length_ > 0) return bad(ParseFault::kContentLength);
  body_starts();
}

void ResponseParser::bad(ParseFault fault) {
  fault_ = fault;
  state_ = State::kBad;
}

}  // namespace mpsbench
