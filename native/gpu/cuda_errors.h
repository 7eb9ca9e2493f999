// What the driver's return codes mean to the person at the keyboard. Thread: any.
#pragma once

#include <string>
#include <string_view>

namespace mpsbench::cuda {

// The name in cuda.h of the codes that this tool has to recognise even where the driver cannot name them (an old driver
// does not know its successors' codes); empty for others.
std::string_view known_error_name(int code);

// What to do about it, in a few words; never empty.
std::string_view error_advice(int code);

}  // namespace mpsbench::cuda
