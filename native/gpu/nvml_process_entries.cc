#include "gpu/nvml_process_entries.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "gpu/nvml_abi.h"

namespace mpsbench {
namespace {

constexpr std::array<std::size_t, 3> kStrides = {24, 16, 32};
// PID_MAX_LIMIT of Linux.
constexpr std::uint32_t kMostPids = 1U << 22;
// A GPU has at most 8 of each today.
constexpr std::uint32_t kMostInstances = 1024;
constexpr std::size_t kBytesWithInstances = 24;

nvml::ProcessEntry entry_at(std::span<const std::byte> buffer, std::size_t index, std::size_t stride) {
  nvml::ProcessEntry entry{0, 0, nvml::kNoInstance, nvml::kNoInstance};
  std::memcpy(&entry, buffer.data() + index * stride, std::min(stride, sizeof entry));
  return entry;
}

bool believable_instance(std::uint32_t id) { return id == nvml::kNoInstance || id < kMostInstances; }

bool believable(std::span<const std::byte> buffer, std::size_t count, std::size_t stride) {
  if (count * stride > buffer.size()) return false;
  for (std::size_t index = 0; index < count; ++index) {
    const nvml::ProcessEntry entry = entry_at(buffer, index, stride);
    if (entry.pid == 0 || entry.pid >= kMostPids) return false;
    if (stride < kBytesWithInstances) continue;
    if (!believable_instance(entry.gpu_instance) || !believable_instance(entry.compute_instance)) return false;
  }
  return true;
}

// How far the driver wrote, in whole 8-byte words: every field at the end of an entry is at least a half of one. Only
// the room of `count` entries is looked at: more is written by no entry size, and a tick should not search 64 KiB.
std::size_t written_bytes(std::span<const std::byte> whole, std::size_t count) {
  const auto buffer = whole.first(std::min(whole.size(), count * kEntryRoomBytes));
  const auto last = std::find_if(buffer.rbegin(), buffer.rend(), [](std::byte byte) { return byte != kUntouched; });
  const auto written = static_cast<std::size_t>(buffer.rend() - last);
  return (written + 7) / 8 * 8;
}

std::optional<std::uint32_t> instance(std::uint32_t id) {
  return id == nvml::kNoInstance ? std::nullopt : std::optional(id);
}

// A listed process holds a context or a channel, and neither is free of memory: 0 is what drivers 535.113 to 560 give
// inside a container, where they look the translated PID up untranslated (RM source, seen 2026-11).
std::optional<std::uint64_t> memory(std::uint64_t used_bytes) {
  return used_bytes == nvml::kValueNotAvailable || used_bytes == 0 ? std::nullopt : std::optional(used_bytes);
}

}  // namespace

std::optional<std::size_t> entry_stride(std::span<const std::byte> buffer, std::size_t count, std::size_t expected) {
  const std::size_t written = written_bytes(buffer, count);
  for (const std::size_t stride : kStrides) {
    if (written == count * stride && believable(buffer, count, stride)) return stride;
  }
  // The driver touched the rest of the buffer or left out the end of the last entry: go by the entries alone.
  if (believable(buffer, count, expected)) return expected;
  for (const std::size_t stride : kStrides) {
    if (believable(buffer, count, stride)) return stride;
  }
  return std::nullopt;
}

void read_entries(std::span<const std::byte> buffer, std::size_t count, std::size_t stride,
                  std::vector<ProcessEntryReading>& rows) {
  rows.clear();
  for (std::size_t index = 0; index < count; ++index) {
    const nvml::ProcessEntry raw = entry_at(buffer, index, stride);
    const ProcessEntryReading entry{raw.pid, memory(raw.used_bytes), instance(raw.gpu_instance),
                                    instance(raw.compute_instance)};
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.pid == entry.pid; });
    if (same == rows.end()) {
      rows.push_back(entry);
    } else {
      join_entry(*same, entry);
    }
  }
}

void join_entry(ProcessEntryReading& row, const ProcessEntryReading& entry) {
  if (entry.used_bytes) row.used_bytes = std::max(row.used_bytes.value_or(0), *entry.used_bytes);
  if (!row.gpu_instance_id) row.gpu_instance_id = entry.gpu_instance_id;
  if (!row.compute_instance_id) row.compute_instance_id = entry.compute_instance_id;
}

}  // namespace mpsbench
