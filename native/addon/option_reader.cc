#include "addon/option_reader.h"

#include <cmath>
#include <utility>

#include "addon/errors.h"

namespace mpsbench {

OptionReader::OptionReader(const Napi::CallbackInfo& info, std::string function)
    : env_(info.Env()), function_(std::move(function)), options_(Napi::Object::New(info.Env())) {
  if (info[0].IsObject()) {
    options_ = info[0].As<Napi::Object>();
  } else {
    fail("options", "an object");
  }
}

Napi::Value OptionReader::field(const char* name) const {
  // A getter that throws leaves an empty value and the exception pending.
  const Napi::Value value = options_.Get(name);
  return value.IsEmpty() ? env_.Undefined() : value;
}

void OptionReader::fail(const char* field, const std::string& expected) {
  if (!failure_.empty() || env_.IsExceptionPending()) return;
  failure_ = function_ + ": " + field + " must be " + expected;
  throw_argument_error(env_, failure_);
}

std::int64_t OptionReader::integer(const char* name, std::int64_t least, std::int64_t most, std::int64_t multiple_of) {
  if (threw()) return 0;
  const Napi::Value value = field(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  const bool fits =
      number >= static_cast<double>(least) && number <= static_cast<double>(most) && number == std::floor(number);
  if (fits && static_cast<std::int64_t>(number) % multiple_of == 0) return static_cast<std::int64_t>(number);
  fail(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                 (multiple_of > 1 ? " and a multiple of " + std::to_string(multiple_of) : ""));
  return 0;
}

std::string OptionReader::text(const char* name) {
  if (threw()) return {};
  const Napi::Value value = field(name);
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  fail(name, "a string");
  return {};
}

std::optional<std::string> OptionReader::nullable_text(const char* name) {
  if (threw()) return std::nullopt;
  const Napi::Value value = field(name);
  if (value.IsNull()) return std::nullopt;
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  fail(name, "a string or null");
  return std::nullopt;
}

Napi::Function OptionReader::optional_function(const char* name) {
  if (threw()) return {};
  const Napi::Value value = field(name);
  if (value.IsUndefined()) return {};
  if (value.IsFunction()) return value.As<Napi::Function>();
  fail(name, "a function or undefined");
  return {};
}

bool OptionReader::threw() const { return !failure_.empty() || env_.IsExceptionPending(); }

}  // namespace mpsbench
