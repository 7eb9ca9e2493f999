// Process-list entries: the size that the driver wrote is found from what it wrote.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "gpu/nvml_abi.h"
#include "gpu/nvml_process_entries.h"

namespace mpsbench {
namespace {

using test::Check;

struct Written {
  std::uint32_t pid;
  std::uint64_t used_bytes;
  std::uint32_t gpu_instance = nvml::kNoInstance;
};

// A buffer as a driver leaves it that writes entries of `stride` bytes; unwritten tail bytes stay as they were.
std::vector<std::byte> buffer_of(const std::vector<Written>& entries, std::size_t stride, std::size_t room = 8) {
  std::vector<std::byte> buffer(room * kEntryRoomBytes, kUntouched);
  for (std::size_t index = 0; index < entries.size(); ++index) {
    std::byte* at = buffer.data() + index * stride;
    std::memset(at, 0, stride);
    std::memcpy(at, &entries[index].pid, 4);
    std::memcpy(at + 8, &entries[index].used_bytes, 8);
    if (stride < 24) continue;
    std::memcpy(at + 16, &entries[index].gpu_instance, 4);
    std::memcpy(at + 20, &nvml::kNoInstance, 4);
  }
  return buffer;
}

const std::vector<Written> kThree = {{470, 516ULL << 20}, {484, nvml::kValueNotAvailable, 3}, {4194303, 66ULL << 20}};

void every_size_is_found_whatever_was_expected(Check& check) {
  for (const std::size_t stride : {16U, 24U, 32U}) {
    for (const std::size_t expected : {16U, 24U}) {
      for (std::size_t count = 1; count <= kThree.size(); ++count) {
        const std::vector<Written> entries(kThree.begin(), kThree.begin() + static_cast<std::ptrdiff_t>(count));
        CHECK_THAT(check, entry_stride(buffer_of(entries, stride), count, expected) == stride);
      }
    }
  }
}

void a_driver_that_clears_the_whole_buffer_is_read_at_the_expected_size(Check& check) {
  std::vector<std::byte> buffer = buffer_of(kThree, 24);
  std::fill(buffer.begin() + 72, buffer.end(), std::byte{0});
  CHECK_THAT(check, entry_stride(buffer, 3, 24) == 24);
}

void entries_whose_end_was_left_out_are_told_by_what_is_believable(Check& check) {
  std::vector<std::byte> buffer = buffer_of(kThree, 32);
  for (std::size_t index = 0; index < 3; ++index) {
    std::fill_n(buffer.begin() + static_cast<std::ptrdiff_t>(index * 32 + 24), 8, kUntouched);
  }
  CHECK_THAT(check, entry_stride(buffer, 3, 24) == 32);
}

void nonsense_is_refused(Check& check) {
  const std::vector<Written> nonsense = {{0, 1}, {1U << 31, 2}};
  CHECK_THAT(check, entry_stride(buffer_of(nonsense, 24), 2, 24) == std::nullopt);
  const std::vector<std::byte> untouched(512, kUntouched);
  CHECK_THAT(check, entry_stride(untouched, 2, 24) == std::nullopt);
}

void entries_that_would_not_fit_are_refused(Check& check) {
  CHECK_THAT(check, entry_stride(buffer_of(kThree, 24, 2), 100, 24) == std::nullopt);
}

void sentinels_become_nothing(Check& check) {
  std::vector<ProcessEntryReading> rows;
  read_entries(buffer_of(kThree, 24), 3, 24, rows);
  CHECK_THAT(check, rows.size() == 3);
  CHECK_THAT(check, rows[0].used_bytes == 516ULL << 20 && !rows[0].gpu_instance_id);
  CHECK_THAT(check, !rows[1].used_bytes && rows[1].gpu_instance_id == 3U && !rows[1].compute_instance_id);
  read_entries(buffer_of(kThree, 16), 3, 16, rows);
  CHECK_THAT(check, rows.size() == 3 && !rows[1].gpu_instance_id);
}

void a_pid_that_is_named_twice_counts_once(Check& check) {
  std::vector<ProcessEntryReading> rows;
  const std::vector<Written> twice = {{7, 100}, {8, 5}, {7, 100}, {7, nvml::kValueNotAvailable}};
  read_entries(buffer_of(twice, 24), 4, 24, rows);
  CHECK_THAT(check, rows.size() == 2);
  CHECK_THAT(check, rows[0].pid == 7 && rows[0].used_bytes == 100U);
}

void a_figure_of_zero_is_none(Check& check) {
  std::vector<ProcessEntryReading> rows;
  read_entries(buffer_of({{470, 0}, {484, 5}}, 24), 2, 24, rows);
  CHECK_THAT(check, rows.size() == 2 && !rows[0].used_bytes && rows[1].used_bytes == 5U);
}

constexpr std::uint32_t kSeed = 20261122;

// PIDs, figures and instances as a driver may give them.
std::vector<Written> drawn_entries(std::mt19937_64& random, std::size_t count) {
  std::vector<Written> entries(count);
  for (std::size_t index = 0; index < count; ++index) {
    // Each PID once: those that are named twice have a case of their own.
    entries[index].pid = static_cast<std::uint32_t>(1 + index * 1000 + random() % 1000);
    entries[index].used_bytes = random() % 8 == 0 ? nvml::kValueNotAvailable : (1 + random() % 80'000) << 20;
    if (random() % 2 == 0) entries[index].gpu_instance = static_cast<std::uint32_t>(random() % 15);
  }
  return entries;
}

bool reads_back(const std::vector<Written>& entries, const std::vector<ProcessEntryReading>& rows, bool instances) {
  return std::equal(entries.begin(), entries.end(), rows.begin(), rows.end(), [instances](const auto& in, auto& out) {
    const bool available = in.used_bytes != nvml::kValueNotAvailable;
    const bool in_mig = instances && in.gpu_instance != nvml::kNoInstance;
    return in.pid == out.pid && out.used_bytes.has_value() == available &&
           out.used_bytes.value_or(0) == (available ? in.used_bytes : 0) && out.gpu_instance_id.has_value() == in_mig;
  });
}

void drawn_lists_read_back_at_every_size(Check& check) {
  std::mt19937_64 random(kSeed);
  std::vector<ProcessEntryReading> rows;
  for (int round = 0; round < 3000; ++round) {
    const std::size_t count = 1 + random() % 64;
    const std::vector<Written> entries = drawn_entries(random, count);
    const std::size_t stride = std::vector<std::size_t>{16, 24, 32}[random() % 3];
    const auto buffer = buffer_of(entries, stride, count + random() % 4);
    const auto found = entry_stride(buffer, count, random() % 2 == 0 ? 16 : 24);
    if (found == stride) read_entries(buffer, count, *found, rows);
    const bool held = found == stride && reads_back(entries, rows, stride >= 24);
    if (!held) std::printf("    seed %u, round %d\n", kSeed, round);
    CHECK_THAT(check, held);
  }
}

// Of random bytes almost all is refused at once, so most rounds start from a list as drivers write it and damage it.
std::vector<std::byte> damaged(std::mt19937_64& random, std::size_t count) {
  const std::size_t room = random() % 3 == 0 ? count / 2 + 1 : count;
  std::vector<std::byte> buffer(room * kEntryRoomBytes, kUntouched);
  const auto whole = buffer_of(drawn_entries(random, count), 8 * (2 + random() % 3), count);
  std::copy_n(whole.begin(), buffer.size(), buffer.begin());
  const std::size_t blows = random() % 5 == 0 ? buffer.size() : random() % 6;
  for (std::size_t blow = 0; blow < blows; ++blow) {
    buffer[random() % buffer.size()] = static_cast<std::byte>(random() % 3 == 0 ? 0 : random());
  }
  return buffer;
}

void damaged_lists_are_refused_or_believable(Check& check) {
  std::mt19937_64 random(kSeed);
  std::vector<ProcessEntryReading> rows;
  int refused = 0;
  int read = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t count = 1 + random() % 32;
    const auto buffer = damaged(random, count);
    // A count that the driver made up.
    const std::size_t claimed = random() % 10 == 0 ? random() % (std::size_t{1} << 32) : count;
    const auto stride = entry_stride(buffer, claimed, random() % 2 == 0 ? 16 : 24);
    refused += stride ? 0 : 1;
    if (!stride) continue;
    read += 1;
    read_entries(buffer, claimed, *stride, rows);
    const bool believable = claimed * *stride <= buffer.size() && rows.size() <= claimed &&
                            std::all_of(rows.begin(), rows.end(), [](const ProcessEntryReading& row) {
                              return row.pid > 0 && row.pid < 1U << 22 && row.used_bytes.value_or(1) > 0;
                            });
    if (!believable) std::printf("    seed %u, round %d\n", kSeed, round);
    CHECK_THAT(check, believable);
  }
  // Both ways must have been taken, or the draw says nothing.
  CHECK_THAT(check, refused > 1000 && read > 1000);
}

constexpr test::Case kCases[] = {
    {"every entry size is found whatever was expected", every_size_is_found_whatever_was_expected},
    {"a driver that clears the whole buffer is read at the expected size",
     a_driver_that_clears_the_whole_buffer_is_read_at_the_expected_size},
    {"entries whose end was left out are told by what is believable",
     entries_whose_end_was_left_out_are_told_by_what_is_believable},
    {"nonsense is refused", nonsense_is_refused},
    {"entries that would not fit are refused", entries_that_would_not_fit_are_refused},
    {"sentinels become nothing, never a number", sentinels_become_nothing},
    {"a PID that is named twice counts once", a_pid_that_is_named_twice_counts_once},
    {"a figure of zero bytes is none", a_figure_of_zero_is_none},
    {"drawn lists read back at every entry size", drawn_lists_read_back_at_every_size},
    {"damaged lists are refused or believable, and never read past the buffer",
     damaged_lists_are_refused_or_believable},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
