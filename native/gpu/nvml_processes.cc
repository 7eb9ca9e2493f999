#include "gpu/nvml_processes.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "gpu/nvml_process_entries.h"

namespace mpsbench {
namespace {

// By Symbol::form: _v3 and _v2 are meant to have 24 bytes an entry, the unsuffixed form 16.
constexpr std::array<std::size_t, kMostForms> kExpectedStride = {24, 24, 16};
// Room for processes that appear between the answer "too small" and the next call.
constexpr std::size_t kSlackEntries = 16;
constexpr int kMostAttempts = 10;
// Four times what the kernel module can list for all GPUs together; beyond it an answer is nonsense, not a need.
constexpr std::size_t kMostEntries = 4096;

Call call_of(ProcessList list) {
  switch (list) {
    case ProcessList::kGraphics:
      return Call::kGraphicsProcesses;
    case ProcessList::kMps:
      return Call::kMpsProcesses;
    case ProcessList::kCompute:
      break;
  }
  return Call::kComputeProcesses;
}

std::string file_text(const std::string& path, char until) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::getline(file, text, until);
  return text;
}

void join_list(ProcessesReading& joined, ProcessList list, const std::vector<ProcessEntryReading>& entries) {
  if (!joined.rows) joined.rows.emplace();
  const std::uint32_t bit = 1U << static_cast<std::uint32_t>(list);
  for (const ProcessEntryReading& entry : entries) {
    const auto same = std::find_if(joined.rows->begin(), joined.rows->end(),
                                   [&entry](const ProcessReading& row) { return row.entry.pid == entry.pid; });
    if (same == joined.rows->end()) {
      joined.rows->push_back({entry, bit, std::nullopt});
    } else {
      join_entry(same->entry, entry);
      same->lists |= bit;
    }
  }
}

}  // namespace

ProcessListReader::ProcessListReader(std::size_t room_entries) : buffer_(room_entries * kEntryRoomBytes) {}

nvml::Return ProcessListReader::ask(const Symbol& symbol, nvml::Device device, std::uint32_t& count) {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    std::fill(buffer_.begin(), buffer_.end(), kUntouched);
    const std::size_t room_entries = buffer_.size() / kEntryRoomBytes;
    count = static_cast<std::uint32_t>(room_entries);
    const auto function = symbol.as<nvml::Return (*)(nvml::Device, std::uint32_t*, void*)>();
    const nvml::Return code = function(device, &count, buffer_.data());
    // A driver that claims to have written more than there is room for cannot be read.
    if (code == nvml::kSuccess && count > room_entries) return nvml::kInsufficientSize;
    if (code != nvml::kInsufficientSize || count > kMostEntries) return code;
    buffer_.resize((std::max<std::size_t>(count, room_entries) + kSlackEntries) * kEntryRoomBytes);
  }
  return nvml::kInsufficientSize;
}

std::optional<Unavailable> ProcessListReader::read(const Nvml& gpu, ProcessList list, const DeviceHandle& device,
                                                   std::vector<ProcessEntryReading>& rows) {
  rows.clear();
  if (!device.known()) return device.why();
  // Symbols are few and outlive the call, hence a copy of the one that answered.
  const auto answered = gpu.read<Symbol>(call_of(list), [&](const Symbol& symbol, Symbol& value) {
    value = symbol;
    std::uint32_t count = 0;
    const nvml::Return code = ask(symbol, device.value(), count);
    if (code != nvml::kSuccess || count == 0) return code;
    const auto stride = entry_stride(buffer_, count, kExpectedStride[symbol.form]);
    if (!stride) {
      value.address = nullptr;
      return code;
    }
    read_entries(buffer_, count, *stride, rows);
    return code;
  });
  if (!answered.known()) return answered.why();
  if (answered.value().address == nullptr) return Unavailable{Reason::kError, answered.value().name, nvml::kSuccess};
  return std::nullopt;
}

ProcessesReading read_processes(const Nvml& gpu, const DeviceHandle& device,
                                std::span<const DeviceHandle> mig_instances) {
  ProcessesReading joined;
  ProcessListReader reader;
  std::vector<ProcessEntryReading> entries;
  for (const ProcessList list : {ProcessList::kCompute, ProcessList::kGraphics, ProcessList::kMps}) {
    auto& failure = joined.list_failures[static_cast<std::size_t>(list)];
    failure = reader.read(gpu, list, device, entries);
    if (!failure) join_list(joined, list, entries);
    bool all_instances_told = !mig_instances.empty();
    for (const DeviceHandle& instance : mig_instances) {
      if (reader.read(gpu, list, instance, entries)) {
        all_instances_told = false;
      } else {
        join_list(joined, list, entries);
      }
    }
    // Instances make up for the device only together: the processes of one that does not tell would be missing unsaid.
    if (all_instances_told) failure.reset();
  }
  if (!joined.rows) return joined;
  for (ProcessReading& row : *joined.rows) {
    auto name = read_process_name(gpu, row.entry.pid);
    if (name.known()) row.name = name.value();
    if (!name.known()) joined.name_failure = name.why();
    if (!row.entry.used_bytes) {
      joined.used_bytes_failure = Unavailable{Reason::kNoData, "nvmlDeviceGetComputeRunningProcesses", nvml::kSuccess};
    }
  }
  return joined;
}

Reading<std::string> read_process_name(const Nvml& gpu, std::uint32_t pid) {
  auto name = gpu.read<std::string>(Call::kProcessName, [pid](const Symbol& symbol, std::string& value) {
    std::array<char, 1024> text{};
    const auto ask = symbol.as<nvml::Return (*)(std::uint32_t, char*, std::uint32_t)>();
    const nvml::Return code = ask(pid, text.data(), static_cast<std::uint32_t>(text.size() - 1));
    value = text.data();
    return code;
  });
  if (name.known() && !name.value().empty()) return name;
  const std::string directory = "/proc/" + std::to_string(pid);
  // A command name is cut at 15 characters, which does not tell the MPS server from its control daemon.
  if (std::string first = file_text(directory + "/cmdline", '\0'); !first.empty()) return first;
  if (std::string command = file_text(directory + "/comm", '\n'); !command.empty()) return command;
  if (name.known()) return Unavailable{Reason::kNoData, NvmlSymbols::newest_name(Call::kProcessName), nvml::kSuccess};
  return name;
}

}  // namespace mpsbench
