// The few NVML types and constants in use, declared by hand for LP64 Linux (nvml.h 11 to 13), with their sizes
// asserted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mpsbench::nvml {

using Return = int;
using Device = void*;

enum ReturnCode : int {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kNotFound = 6,
  kInsufficientSize = 7,
  kDriverNotLoaded = 9,
  kTimeout = 10,
  kLibraryNotFound = 12,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kOperatingSystem = 17,
  kLibRmVersionMismatch = 18,
  kInUse = 19,
  kMemory = 20,
  kNoData = 21,
  kArgumentVersionMismatch = 25,
  kDeprecated = 26,
  kNotReady = 27,
  kGpuNotFound = 28,
  kInvalidState = 29,
  kUnknown = 999,
};

// "Not available" in a 64-bit figure (WDDM, MIG without privilege) and in an instance id (not MIG).
constexpr std::uint64_t kValueNotAvailable = ~std::uint64_t{0};
constexpr std::uint32_t kNoInstance = ~std::uint32_t{0};

constexpr std::uint32_t kClockGraphics = 0;
constexpr std::uint32_t kClockSm = 1;
constexpr std::uint32_t kClockMemory = 2;
// nvmlMemoryErrorType_t, and of nvmlEccCounterType_t the volatile one.
constexpr std::uint32_t kEccCorrected = 0;
constexpr std::uint32_t kEccUncorrected = 1;
constexpr std::uint32_t kEccSinceLoad = 0;
constexpr std::uint32_t kTemperatureGpu = 0;
constexpr std::size_t kTextBytes = 96;

struct MemoryV1 {
  std::uint64_t total, free, used;
};

struct MemoryV2 {
  std::uint32_t version;
  std::uint64_t total, reserved, free, used;
};

// The third form. The two before it are shorter; of them only the first 16 bytes (the short bus id) are read.
struct PciInfo {
  char bus_id_legacy[16];
  std::uint32_t domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

struct Utilization {
  std::uint32_t gpu, memory;
};

struct TemperatureV1 {
  std::uint32_t version, sensor;
  std::int32_t temperature;
};

// The start that all entry sizes of the process lists share. Entries of 16 bytes end after used_bytes; those of 24 go
// on with the instance ids; those of 32 with 8 more bytes that are of no use here.
struct ProcessEntry {
  std::uint32_t pid;
  std::uint64_t used_bytes;
  std::uint32_t gpu_instance, compute_instance;
};

using GpmSample = void*;

constexpr std::uint32_t kGpmSupportVersion = 1;
constexpr std::uint32_t kGpmMetricsVersion = 1;
constexpr std::uint32_t kGpmSmUtilization = 2;
// NVML_GPM_METRIC_MAX: 98 up to 12.8, 210 up to 13.1, 333 since; the version word stayed the same, so the most.
constexpr std::size_t kGpmMostMetrics = 333;

struct GpmSupport {
  std::uint32_t version, is_supported;
};

struct GpmMetric {
  std::uint32_t id;
  Return code;
  double value;
  const char* texts[3];
};

struct GpmMetricsGet {
  std::uint32_t version, count;
  GpmSample first, last;
  GpmMetric metrics[kGpmMostMetrics];
};

using EventSet = void*;

constexpr unsigned long long kEventXidCritical = 0x8;

// The first form of the wait call leaves the instance ids as they are.
struct EventData {
  Device device;
  unsigned long long type, data;
  std::uint32_t gpu_instance, compute_instance;
};

// NVML packs the size of a versioned struct into its version word.
template <class Struct>
constexpr std::uint32_t version_word(std::uint32_t version) {
  return static_cast<std::uint32_t>(sizeof(Struct)) | (version << 24);
}

static_assert(sizeof(void*) == 8, "the ABI below is LP64");
static_assert(sizeof(MemoryV1) == 24 && sizeof(MemoryV2) == 40 && sizeof(PciInfo) == 68 && sizeof(Utilization) == 8);
static_assert(sizeof(TemperatureV1) == 12 && sizeof(ProcessEntry) == 24 && offsetof(ProcessEntry, gpu_instance) == 16);
static_assert(sizeof(EventData) == 32 && offsetof(EventData, data) == 16);
static_assert(sizeof(GpmSupport) == 8 && sizeof(GpmMetric) == 40 && offsetof(GpmMetricsGet, metrics) == 24);
static_assert(version_word<MemoryV2>(2) == 0x02000028 && version_word<TemperatureV1>(1) == 0x0100000c);

}  // namespace mpsbench::nvml
