// The processes of a device: its compute, graphics and MPS lists, and their join per PID. Calls into the driver.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu/gpu_sample.h"
#include "gpu/nvml.h"
#include "gpu/nvml_device.h"

namespace mpsbench {

// Reads one list at a time into a buffer that it keeps, so that repeated readings do not allocate. Thread: one at a
// time.
class ProcessListReader {
 public:
  // Entries that fit without growing.
  explicit ProcessListReader(std::size_t room_entries = 64);

  // On success `rows` holds the list, each PID once; otherwise the reason is returned and `rows` is empty.
  std::optional<Unavailable> read(const Nvml& gpu, ProcessList list, const DeviceHandle& device,
                                  std::vector<ProcessEntryReading>& rows);

 private:
  nvml::Return ask(const Symbol& symbol, nvml::Device device, std::uint32_t& count);

  std::vector<std::byte> buffer_;
};

// All lists of the device and of its MIG instances (the device's own list may need a privilege under MIG), joined per
// PID in the order in which the lists name them, with process names.
[[nodiscard]] ProcessesReading read_processes(const Nvml& gpu, const DeviceHandle& device,
                                              std::span<const DeviceHandle> mig_instances);

// As NVML knows it, else argv[0] or the command name from /proc; an Unavailable where neither knows.
[[nodiscard]] Reading<std::string> read_process_name(const Nvml& gpu, std::uint32_t pid);

}  // namespace mpsbench
