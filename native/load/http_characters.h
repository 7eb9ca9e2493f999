// What kind of character a byte of an HTTP head is.
#pragma once

#include <array>
#include <string_view>

namespace mpsbench {

constexpr std::array<bool, 256> token_characters() {
  std::array<bool, 256> is{};
  for (const char c :
       std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    is[static_cast<unsigned char>(c)] = true;
  }
  return is;
}
inline constexpr std::array<bool, 256> kIsToken = token_characters();

inline bool is_token(char byte) { return kIsToken[static_cast<unsigned char>(byte)]; }
inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
inline bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
// What a reason, a value or a chunk extension may hold: no control characters but the tab.
inline bool is_text(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return byte == '\t' || (value >= 0x20 && value != 0x7f);
}
inline char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte; }

}  // namespace mpsbench
