#include "load/request_texts.h"

#include "load/split_mix.h"

namespace mpsbench {
namespace {

constexpr std::uint32_t kDigitsPerDraw = 16;
constexpr std::string_view kUuidShape = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
static_assert(kUuidShape.size() == kUuidWidth);

// Hexadecimal digits of a request's random numbers, one after the other.
class HexDigits {
 public:
  HexDigits(std::uint64_t stream, std::uint64_t first) : stream_(stream), next_(first) {}

  std::uint32_t next() {
    if (left_ == 0) {
      digits_ = split_mix(stream_, next_++);
      left_ = kDigitsPerDraw;
    }
    left_ -= 1;
    return static_cast<std::uint32_t>(digits_ >> (4 * left_)) & 0xfU;
  }

 private:
  std::uint64_t stream_;
  std::uint64_t next_;
  std::uint64_t digits_ = 0;
  std::uint32_t left_ = 0;
};

char hex(std::uint32_t digit) { return "0123456789abcdef"[digit]; }

}  // namespace

void fill_field(const TemplateField& field, std::uint64_t template_stream, std::uint64_t number, char* at) {
  if (field.kind == TemplateField::Kind::kCounter) {
    std::uint64_t rest = number;
    for (std::uint32_t place = field.width; place > 0; --place, rest /= 10) {
      at[place - 1] = static_cast<char>('0' + rest % 10);
    }
    return;
  }
  HexDigits digits(template_stream, number * kDrawsPerRequest + field.first_draw);
  const bool uuid = field.kind == TemplateField::Kind::kUuid;
  for (std::uint32_t place = 0; place < field.width; ++place) {
    const char shape = uuid ? kUuidShape[place] : 'x';
    if (shape == '-') {
      at[place] = '-';
      continue;
    }
    const std::uint32_t digit = digits.next();
    at[place] = shape == '4' ? '4' : hex(shape == 'y' ? 8U | (digit & 3U) : digit);
  }
}

RequestTexts::RequestTexts(const LoadSpec& spec) : spec_(spec) {
  copies_.reserve(spec.requests.size());
  for (const PreparedRequest& request : spec.requests) {
    copies_.push_back(request.fields.empty() ? std::string() : request.bytes);
  }
}

std::string_view RequestTexts::of(const DueRequest& due) {
  const PreparedRequest& request = spec_.requests[due.body];
  if (request.fields.empty()) return request.bytes;
  std::string& copy = copies_[due.body];
  for (const TemplateField& field : request.fields) {
    fill_field(field, spec_.template_stream, due.number, copy.data() + field.offset);
  }
  return copy;
}

}  // namespace mpsbench
