// The reply parser: what is a reply, where it ends, what is refused; the same however the bytes are divided.
#include "load/response_parser.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"

namespace mpsbench {
namespace {

using test::Check;

struct Reply {
  std::string_view bytes;
  ParseState state;
  int status = 0;
  std::uint64_t body_bytes = 0;
  ParseFault fault = ParseFault::kNone;
  // Bytes after the reply.
  std::size_t surplus = 0;
  bool keeps = true;
  bool head = false;
};

constexpr auto kComplete = ParseState::kComplete;
constexpr auto kMore = ParseState::kMore;
constexpr auto kBad = ParseState::kBad;

const std::vector<Reply> kReplies = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", kComplete, 200, 2},
    {"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok", kComplete, 200, 2},
    {"HTTP/1.1 200 OK\r\nCONTENT-LENGTH: \t 2 \t\r\n\r\nok", kComplete, 200, 2},
    {"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", kComplete, 200, 0},
    {"HTTP/1.1 204 No Content\r\n\r\n", kComplete, 204, 0},
    {"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n", kComplete, 204, 0},
    {"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n", kComplete, 304, 0},
    {"HTTP/1.1 500 \xc3\xa9\r\ncontent-length: 1\r\n\r\nx", kComplete, 500, 1},
    {.bytes = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", .state = kComplete, .status = 200, .head = true},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", kComplete, 200, 3},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\nA;x=\"y\"\r\n0123456789\r\n00\r\nT: v\r\nU:\r\n\r\n",
     kComplete, 200, 10},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
     kComplete, 200, 1},
    {"HTTP/1.1 103 Early\r\ncontent-length: 7\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", kComplete, 200, 1},
    {"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", kComplete, 200, 1, ParseFault::kNone, 0, false},
    {"HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 1\r\n\r\nx", kComplete, 200, 1},
    {"HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 1\r\n\r\nx", kComplete, 200, 1, ParseFault::kNone, 0,
     false},
    {"HTTP/1.1 200 OK\r\nconnection: closed\r\ncontent-length: 1\r\n\r\nx", kComplete, 200, 1},
    {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP", kComplete, 200, 2, ParseFault::kNone, 4},
    {"HTTP/1.1 200 OK\r\ncontent-length-of-this-very-long-name: 5\r\ncontent-length: 1\r\n\r\nx", kComplete, 200, 1},
    {"HTTP/1.1 200 OK\r\ncontent-length: 000000000000000000000002\r\n\r\nok", kComplete, 200, 2},
    {"", kMore},
    {"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", kMore, 200, 4},
    {"HTTP/1.1 200 OK\r\ncontent-length: 999999999999999999\r\n\r\nx", kMore, 200, 1},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nabc", kMore, 200, 3},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", kMore, 200, 13},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nuntil the end", kMore, 200, 13},
    {"hello\r\n\r\n", kBad, 0, 0, ParseFault::kStatusLine},
    {"HTTP/2.0 200 OK\r\n\r\n", kBad, 0, 0, ParseFault::kStatusLine},
    {"HTTP/1.1 20 OK\r\n\r\n", kBad, 0, 0, ParseFault::kStatusLine},
    {"HTTP/1.1 2000 OK\r\n\r\n", kBad, 0, 0, ParseFault::kStatusLine},
    {"HTTP/1.1 099 OK\r\n\r\n", kBad, 0, 0, ParseFault::kStatusLine},
    {"HTTP/1.1 200 OK\nx: y\n\n", kBad, 0, 0, ParseFault::kStatusLine},
    {std::string_view("HTTP/1.1 200 O\0K\r\n\r\n", 20), kBad, 0, 0, ParseFault::kStatusLine},
    {"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", kBad, 0, 0, ParseFault::kSwitch},
    {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", kBad, 0, 0, ParseFault::kHeaderLine},
    {"HTTP/1.1 200 OK\r\n: no name\r\n\r\n", kBad, 0, 0, ParseFault::kHeaderLine},
    {"HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n", kBad, 0, 0, ParseFault::kHeaderLine},
    {"HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n", kBad, 0, 0, ParseFault::kHeaderLine},
    {"HTTP/1.1 200 OK\r\na: \x01\r\n\r\n", kBad, 0, 0, ParseFault::kHeaderLine},
    {"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 200 OK\r\ncontent-length: 1 2\r\n\r\n", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\n", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n", kBad, 0, 0, ParseFault::kContentLength},
    {"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", kBad, 0, 0,
     ParseFault::kLengthAndEncoding},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n", kBad, 0, 0, ParseFault::kTransferEncoding},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", kBad, 0, 0, ParseFault::kChunk},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n", kBad, 0, 0, ParseFault::kChunk},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n", kBad, 0, 0, ParseFault::kChunk},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n", kBad, 0, 0, ParseFault::kChunk},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n", kBad, 0, 1, ParseFault::kChunk},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n bad\r\n\r\n", kBad, 0, 0, ParseFault::kHeaderLine},
};

struct Fed {
  ParseState state = kMore;
  std::size_t surplus = 0;
};

// Each piece in a block of its own size, so that a sanitizer sees a read beyond it.
Fed feed_divided(ResponseParser& parser, std::string_view bytes, const std::vector<std::size_t>& cuts) {
  Fed fed;
  std::size_t at = 0;
  for (std::size_t next = 0; next <= cuts.size(); ++next) {
    const std::size_t end = next < cuts.size() ? cuts[next] : bytes.size();
    const std::vector<char> piece(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(end));
    if (fed.state == kMore) {
      fed.state = parser.feed(piece.data(), piece.size());
      if (fed.state == kComplete) fed.surplus = piece.size() - parser.consumed();
    } else if (fed.state == kComplete) {
      fed.surplus += piece.size();
    }
    at = end;
  }
  return fed;
}

void expect(Check& check, const Reply& reply, const std::vector<std::size_t>& cuts) {
  ResponseParser parser;
  parser.start(reply.head);
  const Fed fed = feed_divided(parser, reply.bytes, cuts);
  const int failures = check.failures();
  CHECK_THAT(check, fed.state == reply.state);
  if (reply.status != 0) CHECK_THAT(check, parser.status() == reply.status);
  CHECK_THAT(check, parser.body_bytes() == reply.body_bytes);
  CHECK_THAT(check, parser.fault() == reply.fault);
  if (reply.state == kComplete) {
    CHECK_THAT(check, fed.surplus == reply.surplus);
    CHECK_THAT(check, parser.keeps_connection() == reply.keeps);
  }
  if (check.failures() == failures) return;
  std::printf("    with %d cuts, first at %d, of:\n%.*s\n", static_cast<int>(cuts.size()),
              cuts.empty() ? -1 : static_cast<int>(cuts.front()), static_cast<int>(reply.bytes.size()),
              reply.bytes.data());
}

void replies_in_one_piece(Check& check) {
  for (const Reply& reply : kReplies) expect(check, reply, {});
}

void replies_cut_at_every_byte(Check& check) {
  for (const Reply& reply : kReplies) {
    for (std::size_t cut = 0; cut <= reply.bytes.size(); ++cut) expect(check, reply, {cut});
  }
}

void replies_byte_by_byte(Check& check) {
  for (const Reply& reply : kReplies) {
    std::vector<std::size_t> cuts;
    for (std::size_t cut = 1; cut < reply.bytes.size(); ++cut) cuts.push_back(cut);
    expect(check, reply, cuts);
  }
}

void a_parser_can_be_used_again_after_any_reply(Check& check) {
  ResponseParser parser;
  for (const Reply& reply : kReplies) {
    parser.start(reply.head);
    parser.feed(reply.bytes.data(), reply.bytes.size());
    parser.start(false);
    const std::string_view next = "HTTP/1.1 201 Created\r\ncontent-length: 3\r\n\r\nabc";
    CHECK_THAT(check, parser.feed(next.data(), next.size()) == kComplete);
    CHECK_THAT(check, parser.status() == 201 && parser.body_bytes() == 3 && parser.excerpt() == "abc");
    CHECK_THAT(check, parser.keeps_connection());
  }
}

void only_a_body_of_unknown_length_ends_with_the_connection(Check& check) {
  for (const Reply& reply : kReplies) {
    if (reply.state != kMore) continue;
    ResponseParser parser;
    parser.start(false);
    parser.feed(reply.bytes.data(), reply.bytes.size());
    const bool unknown = reply.bytes.ends_with("until the end");
    CHECK_THAT(check, (parser.end_of_stream() == kComplete) == unknown);
    CHECK_THAT(check, !parser.keeps_connection());
  }
}

void an_endless_head_is_refused(Check& check) {
  for (const std::string_view line : {"x: y\r\n", "x", "HTTP/1.1 103 Early\r\n\r\n"}) {
    ResponseParser parser;
    parser.start(false);
    const std::string_view first = "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n";
    parser.feed(first.data(), line.front() == 'x' ? first.size() : 22);
    ParseState state = kMore;
    for (int times = 0; times < 40'000 && state == kMore; ++times) state = parser.feed(line.data(), line.size());
    CHECK_THAT(check, state == kBad && parser.fault() == ParseFault::kHeadTooLong);
  }
}

void endless_chunk_lines_and_trailers_are_refused(Check& check) {
  for (const std::string_view start : {"", "1;", "0\r\n"}) {
    ResponseParser parser;
    parser.start(false);
    const std::string bytes = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + std::string(start);
    parser.feed(bytes.data(), bytes.size());
    const std::string_view more = start.empty() ? "0" : start == "1;" ? "x" : "a: b\r\n";
    ParseState state = kMore;
    for (int times = 0; times < 40'000 && state == kMore; ++times) state = parser.feed(more.data(), more.size());
    CHECK_THAT(check, state == kBad && parser.fault() == ParseFault::kHeadTooLong);
  }
}

void many_small_chunks_are_no_long_head(Check& check) {
  ResponseParser parser;
  parser.start(false);
  const std::string_view head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  parser.feed(head.data(), head.size());
  for (int chunk = 0; chunk < 100'000; ++chunk) CHECK_THAT(check, parser.feed("1\r\nx\r\n", 6) == kMore);
  CHECK_THAT(check, parser.feed("0\r\n\r\n", 5) == kComplete);
  CHECK_THAT(check, parser.body_bytes() == 100'000 && parser.excerpt() == std::string(kExcerptBytes, 'x'));
}

void random_bytes_end_alike_however_divided(Check& check) {
  const std::uint32_t seed = 20261122;
  std::mt19937 random(seed);
  const std::string_view alphabet = "HTTP/1.1 200\r\n\r\n:;,x0aChunkedclose\t\x80";
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(kReplies[random() % kReplies.size()].bytes);
    for (int change = 0; change < 4 && !bytes.empty(); ++change)
      bytes[random() % bytes.size()] = alphabet[random() % alphabet.size()];
    ResponseParser whole;
    whole.start(false);
    const Fed fed = feed_divided(whole, bytes, {});
    ResponseParser parts;
    parts.start(false);
    const std::size_t cut = random() % (bytes.size() + 1);
    const Fed cut_fed = feed_divided(parts, bytes, {cut});
    const bool same = fed.state == cut_fed.state && fed.surplus == cut_fed.surplus && whole.fault() == parts.fault() &&
                      whole.body_bytes() == parts.body_bytes() && whole.excerpt() == parts.excerpt();
    CHECK_THAT(check, same);
    if (!same) std::printf("    seed %u, round %d, cut at %d\n", seed, round, static_cast<int>(cut));
  }
}

constexpr test::Case kCases[] = {
    {"replies are read in one piece", replies_in_one_piece},
    {"replies are read alike when cut at any byte", replies_cut_at_every_byte},
    {"replies are read alike byte by byte", replies_byte_by_byte},
    {"a parser can be used again after any reply", a_parser_can_be_used_again_after_any_reply},
    {"only a body of unknown length ends with the connection", only_a_body_of_unknown_length_ends_with_the_connection},
    {"an endless head is refused", an_endless_head_is_refused},
    {"endless chunk lines and trailers are refused", endless_chunk_lines_and_trailers_are_refused},
    {"many small chunks are no long head", many_small_chunks_are_no_long_head},
    {"random bytes end alike however divided", random_bytes_end_alike_however_divided},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
