// What is read from a GPU, raw, each fact with its value or with the reason why there is none. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mpsbench {

// The names of lib/records/availability.ts are made from these in nvml_return.cc.
enum class Reason : std::uint8_t {
  kSymbolMissing,
  kNotSupported,
  kNoPermission,
  kNoData,
  kLost,
  kTimeout,
  kNotAsked,
  kError,
};

// source: the call that was tried, a string literal. native_code: what it returned, if it was called and failed.
struct Unavailable {
  Reason reason = Reason::kNoData;
  const char* source = "";
  std::optional<int> native_code;
};

// A fact, or why it is not known. Never a stand-in value.
template <class T>
class [[nodiscard]] Reading {
 public:
  Reading(T value) : state_(std::in_place_index<0>, std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Reading(Unavailable why) : state_(std::in_place_index<1>, std::move(why)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool known() const { return state_.index() == 0; }
  [[nodiscard]] const T& value() const { return std::get<0>(state_); }
  [[nodiscard]] const Unavailable& why() const { return std::get<1>(state_); }

  // Another type of the same fact; `convert` may give a Reading itself.
  template <class U, class Convert>
  [[nodiscard]] Reading<U> as(Convert convert) const {
    if (!known()) return why();
    return convert(value());
  }

 private:
  std::variant<T, Unavailable> state_;
};

// Bytes. source: the call that answered, nullptr where none did.
struct MemoryReading {
  Reading<std::uint64_t> total_bytes;
  Reading<std::uint64_t> used_bytes;
  Reading<std::uint64_t> free_bytes;
  Reading<std::uint64_t> reserved_bytes;
  const char* source = nullptr;
};

enum class ProcessList : std::uint8_t { kCompute = 0, kGraphics = 1, kMps = 2 };
constexpr std::size_t kProcessListCount = 3;

// One entry of one list as the driver gave it, sentinels removed.
struct ProcessEntryReading {
  std::uint32_t pid = 0;
  std::optional<std::uint64_t> used_bytes;
  std::optional<std::uint32_t> gpu_instance_id;
  std::optional<std::uint32_t> compute_instance_id;
};

// One process of one device, joined over the lists. lists: bit n is set when list n of ProcessList named the PID.
struct ProcessReading {
  ProcessEntryReading entry;
  std::uint32_t lists = 0;
  std::optional<std::string> name;
};

struct ProcessesReading {
  // Absent when no list could be read.
  std::optional<std::vector<ProcessReading>> rows;
  // By ProcessList: why that list is not in the rows.
  std::optional<Unavailable> list_failures[kProcessListCount];
  // Set when at least one row has no figure, or no name.
  std::optional<Unavailable> used_bytes_failure;
  std::optional<Unavailable> name_failure;
};

struct MigInstanceReading {
  std::uint32_t index = 0;
  Reading<std::string> uuid;
  Reading<std::uint32_t> gpu_instance_id;
  Reading<std::uint32_t> compute_instance_id;
  MemoryReading memory;
};

struct DeviceReading {
  std::uint32_t index = 0;
  Reading<std::string> uuid;
  Reading<std::string> name;
  Reading<std::string> pci_bus_id;
  Reading<std::string> architecture;
  Reading<std::string> compute_capability;
  Reading<std::uint32_t> power_limit_milliwatts;
  Reading<std::uint32_t> max_sm_clock_mhz;
  Reading<std::uint32_t> max_memory_clock_mhz;
  Reading<std::string> virtualization;
  Reading<std::string> compute_mode;
  Reading<bool> mig_enabled;
  std::vector<MigInstanceReading> mig_instances;
  // Set when slots could not be asked for, other than empty ones.
  std::optional<Unavailable> mig_instances_failure;
  MemoryReading memory;
  Reading<std::uint32_t> gpu_utilization_percent;
  Reading<std::uint32_t> memory_utilization_percent;
  Reading<std::uint32_t> sm_clock_mhz;
  Reading<std::uint32_t> memory_clock_mhz;
  Reading<std::uint32_t> graphics_clock_mhz;
  Reading<std::uint64_t> throttle_reason_mask;
  Reading<std::uint32_t> power_milliwatts;
  Reading<std::uint64_t> energy_millijoules;
  Reading<std::int32_t> temperature_celsius;
  Reading<std::uint64_t> ecc_corrected_errors;
  Reading<std::uint64_t> ecc_uncorrected_errors;
  ProcessesReading processes;
};

// started_ns: now_ns() when the reading began.
struct GpuSnapshot {
  std::int64_t started_ns = 0;
  Reading<std::string> driver_version;
  Reading<std::string> nvml_version;
  Reading<std::string> cuda_driver_version;
  std::string nvml_path;
  std::vector<DeviceReading> devices;
};

// One device at one tick. NaN where the tick gave no value: a row has a fixed size and is written without allocation.
struct DeviceRow {
  double memory_used_bytes;
  double gpu_utilization_percent;
  double memory_utilization_percent;
  double sm_clock_mhz;
  double memory_clock_mhz;
  double power_milliwatts;
  double temperature_celsius;
  double throttle_reason_mask;
};

// One process's memory at one tick. device: position in the list of sampled devices. used_bytes: NaN = not available.
struct ProcessRow {
  std::uint32_t tick;
  std::uint32_t device;
  std::uint32_t pid;
  double used_bytes;
};

}  // namespace mpsbench
