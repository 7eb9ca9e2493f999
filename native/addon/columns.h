// Rows of C++ to typed arrays of JavaScript, one copy. Thread: JS.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace mpsbench {

// pick(row) -> number, for rows 0 to count - 1, into the front of a column that was made before.
template <class Element, class Pick>
void fill_column(Napi::TypedArrayOf<Element> made, std::size_t count, Pick pick) {
  Element* values = made.Data();
  for (std::size_t row = 0; row < count; ++row) values[row] = static_cast<Element>(pick(row));
}

// As a new column.
template <class Element, class Pick>
Napi::TypedArrayOf<Element> column(Napi::Env env, std::size_t count, Pick pick) {
  const auto made = Napi::TypedArrayOf<Element>::New(env, count);
  fill_column(made, count, pick);
  return made;
}

template <class Pick>
Napi::Float64Array float64_column(Napi::Env env, std::size_t count, Pick pick) {
  return column<double>(env, count, pick);
}

template <class Pick>
Napi::Uint32Array uint32_column(Napi::Env env, std::size_t count, Pick pick) {
  return column<std::uint32_t>(env, count, pick);
}

}  // namespace mpsbench
