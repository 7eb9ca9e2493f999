// The script that a fake libnvidia-ml plays, read from the file that FAKE_NVML_SCENARIO names.
//
// One statement a line, words separated by blanks, '#' begins a comment. The file is read again whenever it is
// replaced, so that a test can let processes come and go (write a new file and rename it over the old one). Without a
// file there is one idle H100. Memory is in MiB. Statements before the first `gpu` concern the driver:
//
//   driver TEXT | nvml TEXT | cuda NUMBER      versions, such as: cuda 13000
//   return SYMBOL CODE                         every call of SYMBOL answers CODE (after `gpu`: for its own handle alone)
//   hang SYMBOL MILLISECONDS                   every call of SYMBOL sleeps first, until the script says so no more
//   grow SYMBOL TIMES                          the first TIMES calls of a list answer "too small", one entry short
//   stride SYMBOL BYTES                        entry size of a process list, whatever its name stands for
//   count SYMBOL N                             a process list claims N entries, in whatever it answers
//   twice                                      process lists name every process twice
//   log PATH                                   appends the name of every call to PATH
//
// `gpu` begins a GPU, which is an H100 but for what follows:
//
//   uuid TEXT | name TEXT | pci TEXT | architecture N | capability MAJOR MINOR | virtualization N | mode N
//   memory TOTAL RESERVED USED                 figures of nvmlDeviceGetMemoryInfo_v2
//   memory-na                                  every figure is "not available"
//   used-holds-reserve                         the second form counts the reserve as used
//   utilization GPU MEMORY | clocks SM MEMORY GRAPHICS | throttle MASK | power MW | energy MJ | temperature C
//   xid NUMBER ...                             errors since the driver was loaded; an event set is given those that a
//                                              later script adds to the ones it had when it was registered
//   ecc CORRECTED UNCORRECTED
//   sm-activity PERCENT                        share of the SMs at work; without it the device has no GPM
//   mig                                        MIG is on
//   instance SLOT GI CI UUID TOTAL USED        a MIG instance; other slots below 7 are empty
//   instance-return SLOT SYMBOL CODE           every call of SYMBOL for that instance's handle answers CODE
//   residents DIR                              every file DIR/PID is a process too, while it runs: "MIB LISTS NAME"; its
//                                              memory counts as used; the other fakes write them (FAKE_GPU_RESIDENTS)
//   process PID MIB|na LISTS GI|- CI|- [NAME]  LISTS: letters of c (compute), g (graphics), m (MPS);
//                                              without NAME nvmlSystemGetProcessName answers NOT_FOUND
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fake_nvml {

struct Process {
  std::uint32_t pid = 0;
  std::uint64_t used_bytes = 0;
  std::string lists;
  std::uint32_t gpu_instance = ~0U;
  std::uint32_t compute_instance = ~0U;
  std::optional<std::string> name;
};

struct Instance {
  std::uint32_t slot = 0, gpu_instance = 0, compute_instance = 0;
  std::string uuid;
  std::uint64_t total_bytes = 0, used_bytes = 0;
  std::map<std::string, int> returns;
};

struct Gpu {
  std::string uuid = "GPU-5b1f0c2e-93f4-4c0e-8d51-0a6e2f7b9c30";
  std::string name = "NVIDIA H100 80GB HBM3";
  std::string pci = "00000000:00:06.0";
  std::uint32_t architecture = 9, virtualization = 1, mode = 0;
  int capability_major = 9, capability_minor = 0;
  std::uint64_t total_bytes = 81559ULL << 20, reserved_bytes = 480ULL << 20, used_bytes = 0;
  bool memory_na = false, used_holds_reserve = false, mig = false;
  std::uint32_t gpu_percent = 0, memory_percent = 0;
  std::uint32_t sm_mhz = 345, memory_mhz = 2619, graphics_mhz = 345;
  std::uint64_t throttle_mask = 1, energy_millijoules = 1234567891;
  std::uint64_t ecc_corrected = 0, ecc_uncorrected = 0;
  std::uint32_t power_milliwatts = 69871;
  int temperature_celsius = 31;
  double sm_activity_percent = -1;
  std::vector<std::uint64_t> xids;
  std::vector<Instance> instances;
  std::vector<Process> processes;
  std::string residents_directory;
  std::map<std::string, int> returns;
};

struct Scenario {
  std::string driver = "580.159.04", nvml = "13.580.159.04", log_path;
  int cuda = 13000;
  bool twice = false;
  std::map<std::string, int> returns, grow;
  std::map<std::string, int> hang_milliseconds;
  std::map<std::string, std::size_t> strides;
  std::map<std::string, std::uint32_t> counts;
  std::vector<Gpu> gpus;
};

// Those of the script and those that live in the residents' directory at this moment. Thread: any.
std::vector<Process> present_processes(const Gpu& gpu);
// The script's figure and the memory of the residents. Thread: any.
std::uint64_t present_used_bytes(const Gpu& gpu);

// The scenario in force, read again when its file was replaced. Ends the process with a message on a line that it does
// not understand: a test must not go on with another scenario than it wrote. Thread: any.
std::shared_ptr<const Scenario> current_scenario();

}  // namespace fake_nvml
