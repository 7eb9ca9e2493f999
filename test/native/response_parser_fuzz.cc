// libFuzzer target of the reply parser: no byte beyond the input is read, and division changes nothing.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "load/response_parser.h"

namespace {

using mpsbench::ParseState;
using mpsbench::ResponseParser;

void require(bool holds) {
  if (!holds) std::abort();
}

// A copy on the heap, so that a read beyond it is seen.
ParseState feed(ResponseParser& parser, const char* data, std::size_t size) {
  const std::vector<char> piece(data, data + size);
  const ParseState state = parser.feed(piece.data(), piece.size());
  require(parser.consumed() <= size);
  return state;
}

}  // namespace

// The first byte says whether the reply answers HEAD, the second where the input is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t input_size) {
  if (input_size < 2) return 0;
  const auto* data = reinterpret_cast<const char*>(input) + 2;
  const std::size_t size = input_size - 2;
  const bool head = (input[0] & 1) != 0;
  ResponseParser whole;
  whole.start(head);
  const ParseState state = feed(whole, data, size);
  ResponseParser parts;
  parts.start(head);
  const std::size_t cut = size == 0 ? 0 : input[1] % size;
  ParseState cut_state = feed(parts, data, cut);
  std::size_t consumed = parts.consumed();
  if (cut_state == ParseState::kMore) {
    cut_state = feed(parts, data + cut, size - cut);
    consumed += parts.consumed();
  }
  require(state == cut_state && whole.consumed() == consumed);
  require(whole.fault() == parts.fault() && whole.status() == parts.status());
  require(whole.body_bytes() == parts.body_bytes() && whole.excerpt() == parts.excerpt());
  require(whole.keeps_connection() == parts.keeps_connection());
  require((state == ParseState::kBad) == (whole.fault() != mpsbench::ParseFault::kNone));
  require(whole.end_of_stream() == parts.end_of_stream());
  return 0;
}
