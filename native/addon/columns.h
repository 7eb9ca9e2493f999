// Rows of C++ to typed arrays of JavaScript, one copy. Thread: JS.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace mpsbench {

// pick(row) -> number, for rows 0 to count - 1.
template <class Pick>
Napi::Float64Array float64_column(Napi::Env env, std::size_t count, Pick pick) {
  auto column = Napi::Float64Array::New(env, count);
  double* values = column.Data();
  for (std::size_t row = 0; row < count; ++row) values[row] = static_cast<double>(pick(row));
  return column;
}

template <class Pick>
Napi::Uint32Array uint32_column(Napi::Env env, std::size_t count, Pick pick) {
  auto column = Napi::Uint32Array::New(env, count);
  std::uint32_t* values = column.Data();
  for (std::size_t row = 0; row < count; ++row) values[row] = pick(row);
  return column;
}

}  // namespace mpsbench
