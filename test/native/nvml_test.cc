// NVML against the fake library: opening, version fallbacks, and facts with their reasons.
#include "gpu/nvml.h"

#include <string>
#include <vector>

#include "check.h"
#include "fake_driver.h"
#include "gpu/nvml_snapshot.h"

namespace mpsbench {
namespace {

using test::Check;
using test::fake_library;
using test::ScenarioFile;

constexpr std::uint64_t kMib = 1ULL << 20;

GpuSnapshot read(const std::string& scenario, const std::string& folder = "") {
  ScenarioFile::play(scenario);
  const auto opened = Nvml::open(fake_library(folder));
  if (opened.ok()) return read_snapshot(*opened.value(), true);
  std::printf("    %s\n", opened.error().detail.c_str());
  std::abort();
}

DeviceReading read_gpu(const std::string& scenario, const std::string& folder = "") {
  return read(scenario, folder).devices.at(0);
}

template <class T>
bool is_missing(const Reading<T>& reading, Reason reason, const std::string& source) {
  return !reading.known() && reading.why().reason == reason && reading.why().source == source;
}

void each_way_not_to_open_has_its_code(Check& check) {
  struct Way {
    const char* scenario;
    std::string library;
    const char* code;
    int native_code;
  };
  const std::vector<Way> ways = {
      {"gpu\n", "/nowhere/libnvidia-ml.so.1", "NVML_LIBRARY_MISSING", 0},
      {"gpu\n", "libm.so.6", "NVML_SYMBOL_MISSING", 0},
      {"return nvmlInit_v2 9\n", fake_library(), "NVML_DRIVER_NOT_LOADED", 9},
      {"return nvmlInit_v2 18\n", fake_library(), "NVML_VERSION_MISMATCH", 18},
      {"return nvmlInit_v2 4\n", fake_library(), "NVML_NO_PERMISSION", 4},
      {"return nvmlInit_v2 15\n", fake_library(), "NVML_CALL_FAILED", 15},
      {"return nvmlInit_v2 4711\n", fake_library(), "NVML_CALL_FAILED", 4711},
      {"return nvmlDeviceGetCount_v2 999\n", fake_library(), "NVML_CALL_FAILED", 999},
  };
  for (const Way& way : ways) {
    ScenarioFile::play(way.scenario);
    const auto opened = Nvml::open(way.library);
    CHECK_THAT(check, !opened.ok());
    if (opened.ok()) continue;
    CHECK_THAT(check, opened.error().code == way.code);
    CHECK_THAT(check, opened.error().native_code == way.native_code);
    CHECK_THAT(check, opened.error().detail.find('\n') == std::string::npos);
    CHECK_THAT(check, opened.error().detail.find(way.library) != std::string::npos);
  }
}

void nvml_is_shut_down_as_often_as_it_was_started(Check& check) {
  ScenarioFile::play_logged("return nvmlDeviceGetCount_v2 999\n");
  CHECK_THAT(check, !Nvml::open(fake_library()).ok());
  ScenarioFile::play_logged_on("gpu\n");
  CHECK_THAT(check, Nvml::open(fake_library()).ok());
  ScenarioFile::play_logged_on("return nvmlInit_v2 9\n");
  CHECK_THAT(check, !Nvml::open(fake_library()).ok());
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlInit_v2") == 3 && ScenarioFile::calls_of("nvmlShutdown") == 2);
}

void memory_tells_the_reserve_from_what_is_used(Check& check) {
  const MemoryReading memory = read_gpu("gpu\nmemory 81559 480 1107\n").memory;
  CHECK_THAT(check, memory.total_bytes.value() == 81559 * kMib && memory.reserved_bytes.value() == 480 * kMib);
  CHECK_THAT(check, memory.used_bytes.value() == 1107 * kMib);
  CHECK_THAT(check, memory.source == std::string("nvmlDeviceGetMemoryInfo_v2"));
  const MemoryReading holding = read_gpu("gpu\nmemory 81559 480 1107\nused-holds-reserve\n").memory;
  CHECK_THAT(check, holding.used_bytes.value() == 1107 * kMib && holding.reserved_bytes.value() == 480 * kMib);
}

void the_second_form_of_memory_falls_back_to_the_first(Check& check) {
  for (const char* code : {"3", "13", "25"}) {
    const MemoryReading memory =
        read_gpu(std::string("return nvmlDeviceGetMemoryInfo_v2 ") + code + "\ngpu\nmemory 81559 480 1107\n").memory;
    CHECK_THAT(check, memory.source == std::string("nvmlDeviceGetMemoryInfo"));
    CHECK_THAT(check, memory.used_bytes.value() == (1107 + 480) * kMib);
    CHECK_THAT(check, is_missing(memory.reserved_bytes, Reason::kNotSupported, "nvmlDeviceGetMemoryInfo"));
  }
  const MemoryReading refused = read_gpu("return nvmlDeviceGetMemoryInfo_v2 4\ngpu\n").memory;
  CHECK_THAT(check, is_missing(refused.used_bytes, Reason::kNoPermission, "nvmlDeviceGetMemoryInfo_v2"));
  CHECK_THAT(check, refused.source == nullptr);
}

void memory_that_is_not_available_is_no_number(Check& check) {
  const MemoryReading memory = read_gpu("gpu\nmemory-na\n").memory;
  CHECK_THAT(check, is_missing(memory.total_bytes, Reason::kNoData, "nvmlDeviceGetMemoryInfo_v2"));
  CHECK_THAT(check, !memory.used_bytes.known() && !memory.free_bytes.known() && !memory.reserved_bytes.known());
}

void every_return_code_has_its_reason(Check& check) {
  const std::vector<std::pair<int, Reason>> table = {
      {1, Reason::kError},   {2, Reason::kError},    {3, Reason::kNotSupported},  {4, Reason::kNoPermission},
      {6, Reason::kNoData},  {10, Reason::kTimeout}, {13, Reason::kNotSupported}, {15, Reason::kLost},
      {16, Reason::kLost},   {21, Reason::kNoData},  {25, Reason::kNotSupported}, {26, Reason::kNotSupported},
      {27, Reason::kNoData}, {999, Reason::kError},  {4711, Reason::kError},
  };
  for (const auto& [code, reason] : table) {
    const DeviceReading gpu = read_gpu("gpu\nreturn nvmlDeviceGetPowerUsage " + std::to_string(code) + "\n");
    CHECK_THAT(check, is_missing(gpu.power_milliwatts, reason, "nvmlDeviceGetPowerUsage"));
    CHECK_THAT(check, gpu.power_milliwatts.why().native_code == code);
  }
}

void the_three_lists_are_joined_per_pid(Check& check) {
  const ProcessesReading processes = read_gpu(
                                         "twice\ngpu\n"
                                         "process 473 66 c - - /usr/bin/nvidia-cuda-mps-server\n"
                                         "process 470 516 cm - - python3\n"
                                         "process 900 12 g - - Xorg\n"
                                         "process 901 na cg - - both\n")
                                         .processes;
  CHECK_THAT(check, processes.rows && processes.rows->size() == 4);
  const auto& rows = *processes.rows;
  CHECK_THAT(check,
             rows[0].entry.pid == 473 && rows[0].lists == 1 && rows[0].name == "/usr/bin/nvidia-cuda-mps-server");
  CHECK_THAT(check, rows[1].entry.pid == 470 && rows[1].lists == 5 && rows[1].entry.used_bytes == 516 * kMib);
  CHECK_THAT(check, rows[2].entry.pid == 901 && rows[2].lists == 3 && !rows[2].entry.used_bytes);
  CHECK_THAT(check, rows[3].entry.pid == 900 && rows[3].lists == 2);
  CHECK_THAT(check, processes.used_bytes_failure && processes.used_bytes_failure->reason == Reason::kNoData);
}

void a_list_longer_than_the_buffer_is_read_whole(Check& check) {
  std::string scenario = "gpu\n";
  for (int pid = 1000; pid < 1950; ++pid) scenario += "process " + std::to_string(pid) + " 1 c - - worker\n";
  CHECK_THAT(check, read_gpu(scenario).processes.rows->size() == 950);
}

void a_list_that_grows_between_calls_is_read_whole(Check& check) {
  const auto rows =
      read_gpu("grow nvmlDeviceGetComputeRunningProcesses_v3 3\ngpu\nprocess 470 516 c - - a\n").processes.rows;
  CHECK_THAT(check, rows && rows->size() == 1);
}

void a_list_that_never_fits_is_given_up(Check& check) {
  const auto processes =
      read_gpu("return nvmlDeviceGetComputeRunningProcesses_v3 7\ngpu\nprocess 470 516 cm - - a\n").processes;
  CHECK_THAT(check, processes.list_failures[0] && processes.list_failures[0]->native_code == 7);
  CHECK_THAT(check, processes.rows && processes.rows->size() == 1 && processes.rows->front().lists == 4);
}

void a_count_that_cannot_be_is_refused(Check& check) {
  constexpr const char* kList = "nvmlDeviceGetComputeRunningProcesses_v3";
  for (const char* said : {"return nvmlDeviceGetComputeRunningProcesses_v3 7\n", ""}) {
    for (const char* count : {"65", "4097", "4294967295"}) {
      const auto processes = read_gpu("count " + std::string(kList) + " " + count + "\n" + said + "gpu\n").processes;
      CHECK_THAT(check, processes.list_failures[0] && processes.list_failures[0]->native_code == 7);
      CHECK_THAT(check, processes.list_failures[0] && processes.list_failures[0]->source == std::string(kList));
      CHECK_THAT(check, processes.rows && processes.rows->empty());
    }
  }
}

void entry_sizes_of_every_driver_are_read(Check& check) {
  const std::string two = "gpu\nprocess 470 516 cm - - a\nprocess 484 72 cm - - b\n";
  for (const char* stride : {"16", "24", "32"}) {
    const auto scenario = std::string("stride nvmlDeviceGetComputeRunningProcesses_v3 ") + stride + "\n" + two;
    const auto rows = read_gpu(scenario).processes.rows;
    CHECK_THAT(check, rows && rows->size() == 2 && rows->at(1).entry.used_bytes == 72 * kMib);
  }
  for (const char* folder : {"r535", "old"}) {
    const auto rows = read_gpu(two, folder).processes.rows;
    CHECK_THAT(check, rows && rows->size() == 2 && rows->at(1).entry.pid == 484);
    CHECK_THAT(check, rows && rows->at(0).entry.used_bytes == 516 * kMib && rows->at(1).entry.used_bytes == 72 * kMib);
  }
}

void an_old_driver_gives_what_it_has_and_says_what_it_lacks(Check& check) {
  const GpuSnapshot snapshot = read("driver 440.33\ncuda 10020\ngpu\nmemory 32510 0 300\nthrottle 4\n", "old");
  const DeviceReading& gpu = snapshot.devices.at(0);
  CHECK_THAT(check, snapshot.cuda_driver_version.value() == "10.2");
  CHECK_THAT(check, gpu.pci_bus_id.value() == "00000000:00:06.0");
  CHECK_THAT(check, gpu.memory.source == std::string("nvmlDeviceGetMemoryInfo"));
  CHECK_THAT(check, gpu.throttle_reason_mask.value() == 4 && gpu.temperature_celsius.value() == 31);
  CHECK_THAT(check, is_missing(gpu.energy_millijoules, Reason::kSymbolMissing, "nvmlDeviceGetTotalEnergyConsumption"));
  CHECK_THAT(check, is_missing(gpu.mig_enabled, Reason::kSymbolMissing, "nvmlDeviceGetMigMode"));
  const auto& mps = gpu.processes.list_failures[2];
  CHECK_THAT(check, mps && mps->reason == Reason::kSymbolMissing && !mps->native_code);
  CHECK_THAT(check, gpu.processes.rows && gpu.processes.rows->empty());
}

void mig_instances_are_found_in_any_slot(Check& check) {
  const DeviceReading gpu = read_gpu(
      "gpu\nmig\nreturn nvmlDeviceGetUtilizationRates 3\nreturn nvmlDeviceGetComputeRunningProcesses_v3 4\n"
      "instance 2 9 0 MIG-11111111-2222-3333-4444-555555555555 9856 12\n"
      "instance 5 13 1 MIG-66666666-7777-8888-9999-aaaaaaaaaaaa 19968 1024\n"
      "process 470 516 c 9 0 python3\n");
  CHECK_THAT(check, gpu.mig_enabled.value() && gpu.mig_instances.size() == 2 && !gpu.mig_instances_failure);
  CHECK_THAT(check, gpu.mig_instances[1].index == 5 && gpu.mig_instances[1].gpu_instance_id.value() == 13);
  CHECK_THAT(check, gpu.mig_instances[1].compute_instance_id.value() == 1);
  CHECK_THAT(check, gpu.mig_instances[1].uuid.value() == "MIG-66666666-7777-8888-9999-aaaaaaaaaaaa");
  CHECK_THAT(check, gpu.mig_instances[0].memory.used_bytes.value() == 12 * kMib);
  CHECK_THAT(check, is_missing(gpu.gpu_utilization_percent, Reason::kNotSupported, "nvmlDeviceGetUtilizationRates"));
  // The device's own list needs a privilege here, so the process comes from its instance.
  CHECK_THAT(check, gpu.processes.rows && gpu.processes.rows->size() == 1 && !gpu.processes.list_failures[0]);
  CHECK_THAT(check, gpu.processes.rows->front().entry.gpu_instance_id == 9U);
}

void an_instance_that_does_not_tell_its_processes_is_not_passed_over(Check& check) {
  const std::string scenario =
      "gpu\nmig\nreturn nvmlDeviceGetComputeRunningProcesses_v3 4\n"
      "instance 0 1 0 MIG-a 9856 12\ninstance 1 2 0 MIG-b 9856 12\nprocess 470 516 c 1 0 python3\n";
  CHECK_THAT(check, !read_gpu(scenario).processes.list_failures[0]);
  const ProcessesReading processes =
      read_gpu(scenario + "instance-return 1 nvmlDeviceGetComputeRunningProcesses_v3 15\n").processes;
  CHECK_THAT(check, processes.rows && processes.rows->size() == 1);
  CHECK_THAT(check, processes.list_failures[0] && processes.list_failures[0]->reason == Reason::kNoPermission);
}

void a_device_without_a_handle_is_listed_with_the_reason(Check& check) {
  const GpuSnapshot snapshot = read("gpu\nuuid GPU-a\ngpu\nuuid GPU-b\nreturn nvmlDeviceGetHandleByIndex_v2 15\n");
  CHECK_THAT(check, snapshot.devices.size() == 2 && snapshot.devices[0].uuid.value() == "GPU-a");
  const DeviceReading& lost = snapshot.devices[1];
  CHECK_THAT(check, lost.index == 1 && is_missing(lost.uuid, Reason::kLost, "nvmlDeviceGetHandleByIndex_v2"));
  CHECK_THAT(check, is_missing(lost.memory.used_bytes, Reason::kLost, "nvmlDeviceGetHandleByIndex_v2"));
  CHECK_THAT(check, !lost.processes.rows);
}

void a_name_that_nvml_does_not_know_comes_from_proc(Check& check) {
  const std::string pid = std::to_string(getpid());
  const auto processes = read_gpu("gpu\nprocess " + pid + " 1 c - -\nprocess 4194303 1 c - -\n").processes;
  CHECK_THAT(check, processes.rows && processes.rows->size() == 2);
  CHECK_THAT(check, processes.rows->at(0).name && processes.rows->at(0).name->find("nvml_test") != std::string::npos);
  CHECK_THAT(check, !processes.rows->at(1).name);
  CHECK_THAT(check, processes.name_failure && processes.name_failure->reason == Reason::kNoData);
}

void unknown_numbers_are_no_names(Check& check) {
  const DeviceReading gpu = read_gpu("gpu\nmode 17\nvirtualization 9\narchitecture 12\n");
  CHECK_THAT(check, is_missing(gpu.compute_mode, Reason::kError, "nvmlDeviceGetComputeMode"));
  CHECK_THAT(check, is_missing(gpu.virtualization, Reason::kError, "nvmlDeviceGetVirtualizationMode"));
  CHECK_THAT(check, gpu.architecture.value() == "architecture 12");
  CHECK_THAT(check, is_missing(read_gpu("gpu\narchitecture 4294967295\n").architecture, Reason::kNoData,
                               "nvmlDeviceGetArchitecture"));
}

constexpr test::Case kCases[] = {
    {"each way not to open has its code and one line that names the library", each_way_not_to_open_has_its_code},
    {"NVML is shut down as often as it was started", nvml_is_shut_down_as_often_as_it_was_started},
    {"memory tells the reserve from what is used", memory_tells_the_reserve_from_what_is_used},
    {"the second form of memory falls back to the first where it is not supported, and only there",
     the_second_form_of_memory_falls_back_to_the_first},
    {"memory that is not available is no number", memory_that_is_not_available_is_no_number},
    {"every return code has its reason and keeps its number", every_return_code_has_its_reason},
    {"the three process lists are joined per PID", the_three_lists_are_joined_per_pid},
    {"a list longer than the buffer is read whole", a_list_longer_than_the_buffer_is_read_whole},
    {"a list that grows between calls is read whole", a_list_that_grows_between_calls_is_read_whole},
    {"a list that never fits is given up, and the others are kept", a_list_that_never_fits_is_given_up},
    {"a count that cannot be is refused, and nothing is reserved for it", a_count_that_cannot_be_is_refused},
    {"the entry sizes of every driver are read", entry_sizes_of_every_driver_are_read},
    {"an old driver gives what it has and says what it lacks", an_old_driver_gives_what_it_has_and_says_what_it_lacks},
    {"MIG instances are found in any slot", mig_instances_are_found_in_any_slot},
    {"a MIG instance that does not tell its processes is not passed over",
     an_instance_that_does_not_tell_its_processes_is_not_passed_over},
    {"a device without a handle is listed with the reason", a_device_without_a_handle_is_listed_with_the_reason},
    {"a process name that NVML does not know comes from /proc", a_name_that_nvml_does_not_know_comes_from_proc},
    {"numbers that stand for nothing known are not given a name", unknown_numbers_are_no_names},
};

}  // namespace
}  // namespace mpsbench

int main() {
  const mpsbench::test::ScenarioFile scenario;
  return mpsbench::test::run_cases(mpsbench::kCases);
}
