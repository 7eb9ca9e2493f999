// An optional value as JavaScript's value or null. Thread: JS.
#pragma once

#include <napi.h>

#include <optional>
#include <string>

namespace mpsbench {

template <class Number>
Napi::Value nullable(Napi::Env env, const std::optional<Number>& value) {
  return value ? Napi::Value(Napi::Number::New(env, static_cast<double>(*value))) : env.Null();
}

inline Napi::Value nullable(Napi::Env env, const std::optional<bool>& value) {
  return value ? Napi::Value(Napi::Boolean::New(env, *value)) : env.Null();
}

inline Napi::Value nullable(Napi::Env env, const std::optional<std::string>& value) {
  return value ? Napi::Value(Napi::String::New(env, *value)) : env.Null();
}

}  // namespace mpsbench
