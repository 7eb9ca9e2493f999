// How the kernel's scheduler treats a thread.
#pragma once

#include <cstdint>

namespace mpsbench {

// Asks for the shortest slice (0.1 ms) for the calling thread: once woken, it need not wait for the end of another
// thread's turn of several milliseconds on the same CPU, and its share of the CPU stays the same. Linux 6.12 and later
// heed it under the default policy without a privilege (sched(7), EEVDF); elsewhere nothing changes.
void ask_for_short_slice();

// Of the calling thread, as it was asked for; 0: the kernel's own choice, or a kernel that heeds no wish.
std::uint64_t slice_ns();

}  // namespace mpsbench
