// A value or an error; what can fail returns one.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace mpsbench {

// code: a name from lib/core/errors.ts. detail: what failed, on what, what to do. native_code: the foreign return
// code, or 0 where there is none.
struct Error {
  std::string code;
  std::string detail;
  int native_code = 0;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  [[nodiscard]] T& value() { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const { return std::get<0>(state_); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

struct Ok {};
using Status = Result<Ok>;

}  // namespace mpsbench
