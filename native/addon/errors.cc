#include "addon/errors.h"

namespace mpsbench {

void throw_error(Napi::Env env, const Error& error) {
  Napi::Error made = Napi::Error::New(env, error.detail);
  made.Set("code", Napi::String::New(env, error.code));
  made.Set("detail", Napi::String::New(env, error.detail));
  made.Set("nativeCode", Napi::Number::New(env, error.native_code));
  made.ThrowAsJavaScriptException();
}

void throw_argument_error(Napi::Env env, const std::string& message) {
  Napi::TypeError made = Napi::TypeError::New(env, message);
  made.Set("code", Napi::String::New(env, "ERR_INVALID_ARG_TYPE"));
  made.ThrowAsJavaScriptException();
}

}  // namespace mpsbench
