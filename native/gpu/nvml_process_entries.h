// Finds the size of the entries that a driver wrote into a process list: 16, 24 or 32 bytes. The symbol's name does
// not tell (drivers 535.43 to 535.86 wrote 32 bytes under the name that means 24 before and after). Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "gpu/gpu_sample.h"

namespace mpsbench {

// More than any entry known, so that a list of n entries never overruns a buffer of n of these.
constexpr std::size_t kEntryRoomBytes = 64;
// What the buffer is filled with before the call.
constexpr std::byte kUntouched{0xA5};

// buffer: what the driver wrote `count` entries into, over kUntouched. expected: what the symbol's name stands for.
// nullopt where no size gives believable entries.
[[nodiscard]] std::optional<std::size_t> entry_stride(std::span<const std::byte> buffer, std::size_t count,
                                                      std::size_t expected);

// Reads `count` entries of `stride` bytes, which the buffer must hold, into `rows` (replaced; capacity is kept), a PID
// that is named twice once. A figure of 0 bytes is none.
void read_entries(std::span<const std::byte> buffer, std::size_t count, std::size_t stride,
                  std::vector<ProcessEntryReading>& rows);

// Joins an entry to the row of its PID: figures that the row lacks are taken over, of two figures the larger stays,
// since a list may name one process twice and then sums would count it twice.
void join_entry(ProcessEntryReading& row, const ProcessEntryReading& entry);

}  // namespace mpsbench
