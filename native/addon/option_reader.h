// Reads the one options object of a call, strictly: the first field that breaks the contract of lib/native/addon.ts is
// kept, and thrown as a TypeError. Thread: JS.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>

namespace mpsbench {

class OptionReader {
 public:
  // `function` names the caller in messages.
  OptionReader(const Napi::CallbackInfo& info, std::string function);

  // An integer within [least, most]; 0 after a failure.
  std::int64_t integer(const char* field, std::int64_t least, std::int64_t most, std::int64_t multiple_of = 1);
  std::string text(const char* field);
  // null in JavaScript = nullopt.
  std::optional<std::string> nullable_text(const char* field);
  // undefined in JavaScript = an empty function.
  Napi::Function optional_function(const char* field);

  // True once a field was wrong; then the TypeError is thrown and the caller returns.
  [[nodiscard]] bool threw() const;

 private:
  Napi::Value field(const char* name) const;
  void fail(const char* field, const std::string& expected);

  Napi::Env env_;
  std::string function_;
  Napi::Object options_;
  std::string failure_;
};

}  // namespace mpsbench
