// The primary context of one GPU, with what it says about itself. Thread: the one that made it.
//
// ONLY for short-lived children and worker processes: see cuda_driver.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/cuda_driver.h"

namespace mpsbench::cuda {

// A fact that could not be read: `reason` as in lib/records/availability.ts.
struct MissingFact {
  std::string field;
  std::string reason;
  std::string source;
  std::optional<int> native_code;
};

// What a process sees of its GPU in its own environment.
struct DeviceFacts {
  std::optional<std::string> uuid;
  std::optional<int> multiprocessor_count;
  std::optional<bool> mps_enabled;
  std::vector<MissingFact> missing;
};

// Works without a context, after cuInit.
DeviceFacts read_device_facts(const Driver& driver, const VisibleDevice& device);

class PrimaryContext {
 public:
  // Retains the context with blocking synchronisation and makes it current on this thread. `driver` outlives it.
  static std::optional<CallFailure> retain(const Driver& driver, Device device, std::optional<PrimaryContext>& made);

  PrimaryContext(PrimaryContext&& other) noexcept;
  PrimaryContext& operator=(PrimaryContext&&) = delete;
  PrimaryContext(const PrimaryContext&) = delete;
  PrimaryContext& operator=(const PrimaryContext&) = delete;
  ~PrimaryContext();

  // Makes it current on the calling thread.
  [[nodiscard]] Code make_current() const;
  // How long cuDevicePrimaryCtxRetain took.
  [[nodiscard]] std::int64_t creation_ns() const { return creation_ns_; }

 private:
  PrimaryContext(const Driver& driver, Device device, Context context, std::int64_t creation_ns)
      : driver_(&driver), device_(device), context_(context), creation_ns_(creation_ns) {}

  const Driver* driver_;
  Device device_;
  Context context_;
  std::int64_t creation_ns_;
};

// What lib/records/gpu.ts calls a ContextProbe, but for the PID.
struct ContextReading {
  DeviceFacts facts;
  std::optional<std::int64_t> context_creation_ns;
  // Set when the context could not be made.
  std::optional<CallFailure> failure;
};

// Creates a context in the environment of this process, and gives it to `held` as long as the reading says no failure.
// Errors: CUDA_CALL_FAILED where no visible device has the UUID; every other failure is part of the reading.
Result<ContextReading> read_context(const Driver& driver, const std::optional<std::string>& device_uuid,
                                    std::optional<PrimaryContext>& held);

}  // namespace mpsbench::cuda
