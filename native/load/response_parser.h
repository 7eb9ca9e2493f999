// Incremental parser of HTTP/1.x replies: finds where a reply ends, and refuses what is not one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "load/chunk_decoder.h"
#include "load/parse_fault.h"

namespace mpsbench {

enum class ParseState : std::uint8_t { kMore, kComplete, kBad };

// Of a reply's body, so much is kept to be shown.
constexpr std::size_t kExcerptBytes = 160;

// One reply at a time; never allocates, never looks beyond what it is given. Lines end in CRLF. Informational heads
// are skipped, except a switch of protocols, which is a fault. Thread: one.
class ResponseParser {
 public:
  // Before each reply. `head`: it answers HEAD.
  void start(bool head);

  // Takes bytes in any division. After kComplete and kBad nothing more is taken until start().
  ParseState feed(const char* data, std::size_t size);
  // Bytes of the body that may be skipped instead of fed, since nothing in them is looked at; 0 where there are none.
  [[nodiscard]] std::size_t skippable() const;
  // So many bytes, of those that are skippable, were taken from the stream.
  ParseState skip(std::size_t size);
  // The connection ended: whether that completes the reply.
  [[nodiscard]] ParseState end_of_stream();

  // Of the last feed(), the bytes that belong to the reply; the rest was not asked for.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }
  // The final head is complete.
  [[nodiscard]] bool has_head() const { return head_done_; }
  [[nodiscard]] std::uint16_t status() const { return status_; }
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
  // Meaningful when complete: whether another request may follow on the connection.
  [[nodiscard]] bool keeps_connection() const;
  [[nodiscard]] ParseFault fault() const { return fault_; }
  // The first bytes of the body.
  [[nodiscard]] std::string_view excerpt() const { return {excerpt_.data(), excerpt_length_}; }

 private:
  enum class State : std::uint8_t {
    kVersion,
    kStatusCode,
    kReason,
    kStatusLf,
    kLineStart,
    kName,
    kValueStart,
    kValue,
    kValueLf,
    kHeadLf,
    kBodyLength,
    kBodyClose,
    kChunked,
    kDone,
    kBad,
  };
  enum class Field : std::uint8_t { kOther, kContentLength, kTransferEncoding, kConnection };

  void start_head();
  std::size_t take_run(const char* data, std::size_t size);
  void name_byte(char byte);
  void step(char byte);
  void step_status_line(char byte);
  void step_header(char byte);
  std::size_t take_chunked(const char* data, std::size_t size);
  void bad(ParseFault fault);
  void name_ends();
  void value_byte(char byte);
  void length_byte(char byte);
  void token_byte(char byte);
  void token_ends();
  void value_ends();
  void head_ends();
  void body_starts();
  void keep(const char* data, std::size_t size);
  std::size_t take_body(const char* data, std::size_t size);

  State state_ = State::kVersion;
  Field field_ = Field::kOther;
  ParseFault fault_ = ParseFault::kNone;
  bool head_request_ = false;
  bool head_done_ = false;
  bool version_1_0_ = false;
  bool has_length_ = false;
  bool has_encoding_ = false;
  bool chunked_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  bool by_close_ = false;
  // Inside a Content-Length: a digit was seen; and a blank after it.
  bool length_digits_ = false;
  bool length_blank_ = false;
  std::uint8_t digits_ = 0;
  std::uint8_t text_length_ = 0;
  std::uint8_t excerpt_length_ = 0;
  std::uint16_t status_ = 0;
  std::uint32_t head_bytes_ = 0;
  std::uint64_t length_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::size_t consumed_ = 0;
  ChunkDecoder chunks_;
  // The version, a header's name, or a token of its value, in lower case.
  std::array<char, 20> text_{};
  std::array<char, kExcerptBytes> excerpt_{};
};

}  // namespace mpsbench
