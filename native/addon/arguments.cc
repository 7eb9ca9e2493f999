#include "addon/arguments.h"

#include <algorithm>
#include <cmath>

#include "addon/errors.h"

namespace mpsbench {
namespace {

constexpr double kLargestExact = 9'007'199'254'740'991.0;

}  // namespace

Arguments::Arguments(const Napi::CallbackInfo& info, const char* function)
    : env_(info.Env()), function_(function), options_(Napi::Object::New(info.Env())) {
  if (info.Length() == 1 && info[0].IsObject()) {
    options_ = info[0].As<Napi::Object>();
  } else {
    problem_ = std::string(function_) + " takes one options object";
  }
}

Napi::Value Arguments::field(const char* name) const { return options_.Get(name); }

void Arguments::expect(const char* field, const std::string& what) {
  if (problem_.empty()) problem_ = std::string(function_) + ": " + field + " must be " + what;
}

bool Arguments::boolean(const char* name) {
  const Napi::Value value = field(name);
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  expect(name, "a boolean");
  return false;
}

std::optional<std::string> Arguments::nullable_string(const char* name) {
  const Napi::Value value = field(name);
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (!value.IsNull()) expect(name, "a string or null");
  return std::nullopt;
}

std::string Arguments::string(const char* name) {
  const Napi::Value value = field(name);
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  expect(name, "a string");
  return "";
}

Napi::Function Arguments::function(const char* name) {
  const Napi::Value value = field(name);
  if (value.IsFunction()) return value.As<Napi::Function>();
  expect(name, "a function");
  return {};
}

std::optional<std::int64_t> Arguments::exact_integer(const Napi::Value& value) {
  if (!value.IsNumber()) return std::nullopt;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(std::abs(number) <= kLargestExact) || number != std::trunc(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::int64_t Arguments::integer(const char* name, std::int64_t lowest, std::int64_t highest) {
  const auto number = exact_integer(field(name));
  if (number && *number >= lowest && *number <= highest) return *number;
  expect(name, "an integer from " + std::to_string(lowest) + " to " + std::to_string(highest));
  return lowest;
}

std::optional<std::int64_t> Arguments::nullable_integer(const char* name, std::int64_t lowest, std::int64_t highest) {
  if (field(name).IsNull()) return std::nullopt;
  return integer(name, lowest, highest);
}

std::int64_t Arguments::bigint(const char* name) {
  const Napi::Value value = field(name);
  bool lossless = false;
  const std::int64_t number = value.IsBigInt() ? value.As<Napi::BigInt>().Int64Value(&lossless) : 0;
  if (lossless) return number;
  expect(name, "a bigint of 64 bits");
  return 0;
}

std::int64_t Arguments::instant_ns(const char* name) {
  const Napi::Value value = field(name);
  bool lossless = false;
  const std::int64_t number = value.IsBigInt() ? value.As<Napi::BigInt>().Int64Value(&lossless) : 0;
  if (lossless && number >= 0) return number;
  expect(name, "a bigint from 0 to 2^63 - 1");
  return 0;
}

std::vector<std::uint32_t> Arguments::indices(const char* name, std::int64_t highest) {
  const std::string what = "a non-empty array of different integers from 0 to " + std::to_string(highest);
  std::vector<std::uint32_t> read;
  const Napi::Value value = field(name);
  if (!value.IsArray() || value.As<Napi::Array>().Length() == 0) {
    expect(name, what);
    return read;
  }
  const auto array = value.As<Napi::Array>();
  for (std::uint32_t position = 0; position < array.Length(); ++position) {
    const auto number = exact_integer(array.Get(position));
    const auto index = static_cast<std::uint32_t>(number.value_or(0));
    const bool repeated = std::find(read.begin(), read.end(), index) != read.end();
    if (!number || *number < 0 || *number > highest || repeated) {
      expect(name, what);
      return read;
    }
    read.push_back(index);
  }
  return read;
}

std::vector<std::uint32_t> Arguments::nullable_indices(const char* name, std::int64_t highest) {
  return field(name).IsNull() ? std::vector<std::uint32_t>() : indices(name, highest);
}

std::vector<std::string> Arguments::strings(const char* name) {
  std::vector<std::string> read;
  const Napi::Value value = field(name);
  const std::uint32_t length = value.IsArray() ? value.As<Napi::Array>().Length() : 0;
  for (std::uint32_t index = 0; index < length; ++index) {
    const Napi::Value element = value.As<Napi::Array>().Get(index);
    if (element.IsString()) read.push_back(element.As<Napi::String>().Utf8Value());
  }
  if (read.empty() || read.size() != length) expect(name, "a non-empty array of strings");
  return read;
}

std::vector<std::string> Arguments::byte_strings(const char* name) {
  std::vector<std::string> read;
  const Napi::Value value = field(name);
  const std::uint32_t length = value.IsArray() ? value.As<Napi::Array>().Length() : 0;
  for (std::uint32_t index = 0; index < length; ++index) {
    const Napi::Value element = value.As<Napi::Array>().Get(index);
    if (!element.IsTypedArray() || element.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) break;
    const auto bytes = element.As<Napi::Uint8Array>();
    read.emplace_back(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
  }
  if (read.empty() || read.size() != length) expect(name, "a non-empty array of Uint8Array");
  return read;
}

std::optional<std::vector<std::int64_t>> Arguments::nullable_offsets(const char* name) {
  const Napi::Value value = field(name);
  if (value.IsNull()) return std::nullopt;
  std::vector<std::int64_t> read;
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array) {
    const auto offsets = value.As<Napi::Float64Array>();
    double last = 0;
    read.reserve(offsets.ElementLength());
    for (std::size_t index = 0; index < offsets.ElementLength(); ++index) {
      const double offset = offsets[index];
      if (!(offset >= last && offset <= kLargestExact)) break;
      read.push_back(static_cast<std::int64_t>(offset));
      last = offset;
    }
    if (read.size() == offsets.ElementLength()) return read;
  }
  expect(name, "a Float64Array that never decreases, or null");
  return std::nullopt;
}

std::vector<std::int64_t> Arguments::whole_numbers(const char* name) {
  const Napi::Value value = field(name);
  std::vector<std::int64_t> read;
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array) {
    const auto numbers = value.As<Napi::Float64Array>();
    for (std::size_t index = 0; index < numbers.ElementLength(); ++index) {
      const double number = numbers[index];
      if (!(number >= 0 && number <= kLargestExact) || number != std::trunc(number)) break;
      read.push_back(static_cast<std::int64_t>(number));
    }
    if (read.size() == numbers.ElementLength()) return read;
  }
  expect(name, "a Float64Array of integers from 0 up");
  return {};
}

std::optional<std::vector<std::int64_t>> Arguments::optional_whole_numbers(const char* name) {
  if (field(name).IsUndefined()) return std::nullopt;
  return whole_numbers(name);
}

bool Arguments::throw_if_bad() const {
  if (env_.IsExceptionPending()) return true;
  if (problem_.empty()) return false;
  throw_argument_error(env_, problem_);
  return true;
}

}  // namespace mpsbench
