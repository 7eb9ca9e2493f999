// Strict readers of what JavaScript passes in. Thread: JS.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mpsbench {

// Reads the fields of the options object that is the first argument of `function`. The first field that is missing, of
// the wrong type or out of range is remembered and every later reader gives a harmless value, so that a caller reads
// all its fields and asks once.
class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const char* function);

  [[nodiscard]] bool boolean(const char* field);
  [[nodiscard]] std::optional<std::string> nullable_string(const char* field);
  [[nodiscard]] std::string string(const char* field);
  [[nodiscard]] Napi::Function function(const char* field);
  // Both ends included. Exact up to 2^53.
  [[nodiscard]] std::int64_t integer(const char* field, std::int64_t lowest, std::int64_t highest);
  // Any 64 bits, as a signed bigint.
  [[nodiscard]] std::int64_t bigint(const char* field);
  // An instant of now_ns(): a bigint that is not negative, so that no difference of two overflows.
  [[nodiscard]] std::int64_t instant_ns(const char* field);
  [[nodiscard]] std::optional<std::int64_t> nullable_integer(const char* field, std::int64_t lowest,
                                                             std::int64_t highest);
  // A non-empty array of integers from 0 to highest, each once.
  [[nodiscard]] std::vector<std::uint32_t> indices(const char* field, std::int64_t highest);
  // As indices(); empty for null.
  [[nodiscard]] std::vector<std::uint32_t> nullable_indices(const char* field, std::int64_t highest);
  // A non-empty array of strings.
  [[nodiscard]] std::vector<std::string> strings(const char* field);
  // A non-empty array of Uint8Array, each copied.
  [[nodiscard]] std::vector<std::string> byte_strings(const char* field);
  // A Float64Array of numbers from 0 up that never decrease, or null.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> nullable_offsets(const char* field);

  // As whole_numbers(); nothing for undefined.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> optional_whole_numbers(const char* field);
  // A Float64Array of integers from 0 up.
  [[nodiscard]] std::vector<std::int64_t> whole_numbers(const char* field);

  // Throws a TypeError if a field was not as it should be; then the caller returns at once.
  [[nodiscard]] bool throw_if_bad() const;

 private:
  [[nodiscard]] Napi::Value field(const char* name) const;
  void expect(const char* field, const std::string& what);
  [[nodiscard]] static std::optional<std::int64_t> exact_integer(const Napi::Value& value);

  Napi::Env env_;
  const char* function_;
  Napi::Object options_;
  std::string problem_;
};

}  // namespace mpsbench
