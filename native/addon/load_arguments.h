// From the options of startLoad to what the engine is asked to send. Thread: JS.
#pragma once

#include <cstdint>

#include "addon/arguments.h"
#include "load/load_spec.h"

namespace mpsbench {

constexpr std::int64_t kMaxSafeInteger = (std::int64_t{1} << 53) - 1;

// Each is false where the options contradict themselves; what is of the wrong type is noted in the arguments.
bool read_servers(Arguments& arguments, LoadSpec& spec);
bool read_requests(Arguments& arguments, LoadSpec& spec);
bool read_fields(Arguments& arguments, LoadSpec& spec);
void read_shape(Arguments& arguments, LoadSpec& spec, std::int64_t origin_ns);

}  // namespace mpsbench
