// Fields of templates: what each request's text is.
#include "load/request_texts.h"

#include <set>
#include <string>

#include "check.h"

namespace mpsbench {
namespace {

using test::Check;
using Kind = TemplateField::Kind;

std::string filled(const TemplateField& field, std::uint64_t number) {
  std::string text(field.width, '?');
  fill_field(field, 0x1234, number, text.data());
  return text;
}

void counters_have_their_width_and_start_anew_beyond_it(Check& check) {
  CHECK_THAT(check, filled({0, 5, Kind::kCounter, 0}, 42) == "00042");
  CHECK_THAT(check, filled({0, 3, Kind::kCounter, 0}, 12345) == "345");
  CHECK_THAT(check, filled({0, 20, Kind::kCounter, 0}, UINT64_MAX) == "18446744073709551615");
}

void random_digits_follow_from_stream_number_and_draw(Check& check) {
  const TemplateField wide{0, 40, Kind::kRandom, 0};
  CHECK_THAT(check, filled(wide, 7) == filled(wide, 7));
  CHECK_THAT(check, filled({0, 8, Kind::kRandom, 0}, 7) == filled(wide, 7).substr(0, 8));
  CHECK_THAT(check, filled({0, 16, Kind::kRandom, 1}, 7) == filled(wide, 7).substr(16, 16));
  std::set<std::string> seen;
  for (std::uint64_t number = 0; number < 1000; ++number) {
    const std::string text = filled(wide, number);
    CHECK_THAT(check, text.find_first_not_of("0123456789abcdef") == std::string::npos);
    seen.insert(text);
  }
  CHECK_THAT(check, seen.size() == 1000);
}

void uuids_are_of_version_4(Check& check) {
  for (std::uint64_t number = 0; number < 100; ++number) {
    const std::string text = filled({0, kUuidWidth, Kind::kUuid, 3}, number);
    CHECK_THAT(check, text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
    CHECK_THAT(check, text[14] == '4' && std::string("89ab").find(text[19]) != std::string::npos);
  }
}

LoadSpec spec_of_two() {
  LoadSpec spec;
  spec.requests = {{"always the same", 15}, {"n=000 r=00", 10, {{2, 3, Kind::kCounter, 0}, {8, 2, Kind::kRandom, 0}}}};
  return spec;
}

void only_fields_differ_and_only_in_a_copy(Check& check) {
  const LoadSpec spec = spec_of_two();
  RequestTexts texts(spec);
  CHECK_THAT(check, texts.of({0, 5, 0, LoadPhase::kWarmup}).data() == spec.requests[0].bytes.data());
  const std::string first(texts.of({0, 5, 1, LoadPhase::kWarmup}));
  CHECK_THAT(check, first.starts_with("n=005 r=") && first.size() == 10);
  CHECK_THAT(check, spec.requests[1].bytes == "n=000 r=00");
}

void a_request_has_the_same_text_whatever_was_asked_for_meanwhile(Check& check) {
  const LoadSpec spec = spec_of_two();
  RequestTexts texts(spec);
  const std::string before(texts.of({0, 17, 1, LoadPhase::kMeasurement}));
  CHECK_THAT(check, texts.of({0, 18, 1, LoadPhase::kMeasurement}) != before);
  CHECK_THAT(check, texts.of({0, 17, 1, LoadPhase::kMeasurement}) == before);
}

constexpr test::Case kCases[] = {
    {"counters have their width and start anew beyond it", counters_have_their_width_and_start_anew_beyond_it},
    {"random digits follow from stream, number and draw", random_digits_follow_from_stream_number_and_draw},
    {"uuids are of version 4", uuids_are_of_version_4},
    {"only fields differ, and only in a copy", only_fields_differ_and_only_in_a_copy},
    {"a request has the same text whatever was asked for meanwhile",
     a_request_has_the_same_text_whatever_was_asked_for_meanwhile},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
