// Reads the script of the fake libnvidia-ml.
#include "nvml_scenario.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>

namespace fake_nvml {
namespace {

// What is static here is never destroyed: a test's process may end while a call into the fake hangs.
constexpr std::uint64_t kMib = 1ULL << 20;
using Words = std::istringstream;

std::string rest_of(Words& words) {
  std::string text;
  std::getline(words >> std::ws, text);
  return text;
}

std::uint64_t mib(Words& words) {
  std::uint64_t figure = 0;
  words >> figure;
  return figure * kMib;
}

std::uint32_t instance_id(Words& words) {
  std::string text;
  words >> text;
  return text == "-" ? ~0U : static_cast<std::uint32_t>(std::stoul(text));
}

Process process_from(Words& words) {
  Process process;
  std::string used;
  words >> process.pid >> used >> process.lists;
  process.used_bytes = used == "na" ? ~0ULL : std::stoull(used) * kMib;
  process.gpu_instance = instance_id(words);
  process.compute_instance = instance_id(words);
  const bool whole = !words.fail();
  if (std::string name = rest_of(words); !name.empty()) process.name = name;
  if (whole) words.clear();
  return process;
}

Instance instance_from(Words& words) {
  Instance instance;
  words >> instance.slot >> instance.gpu_instance >> instance.compute_instance >> instance.uuid;
  instance.total_bytes = mib(words);
  instance.used_bytes = mib(words);
  return instance;
}

void instance_return(Gpu& gpu, Words& words) {
  std::uint32_t slot = 0;
  std::string symbol;
  int code = 0;
  words >> slot >> symbol >> code;
  for (Instance& instance : gpu.instances) {
    if (instance.slot == slot) instance.returns[symbol] = code;
  }
}

template <class Value>
void keyed(std::map<std::string, Value>& values, Words& words) {
  std::string symbol;
  words >> symbol;
  words >> values[symbol];
}

const std::map<std::string, std::function<void(Scenario&, Words&)>>& driver_statements() {
  static const auto* const statements = new std::map<std::string, std::function<void(Scenario&, Words&)>>{
      {"driver", [](Scenario& scenario, Words& words) { scenario.driver = rest_of(words); }},
      {"nvml", [](Scenario& scenario, Words& words) { scenario.nvml = rest_of(words); }},
      {"log", [](Scenario& scenario, Words& words) { scenario.log_path = rest_of(words); }},
      {"cuda", [](Scenario& scenario, Words& words) { words >> scenario.cuda; }},
      {"twice", [](Scenario& scenario, Words&) { scenario.twice = true; }},
      {"return", [](Scenario& scenario, Words& words) { keyed(scenario.returns, words); }},
      {"hang", [](Scenario& scenario, Words& words) { keyed(scenario.hang_milliseconds, words); }},
      {"grow", [](Scenario& scenario, Words& words) { keyed(scenario.grow, words); }},
      {"stride", [](Scenario& scenario, Words& words) { keyed(scenario.strides, words); }},
      {"count", [](Scenario& scenario, Words& words) { keyed(scenario.counts, words); }},
      {"gpu", [](Scenario& scenario, Words&) { scenario.gpus.emplace_back(); }},
  };
  return *statements;
}

const std::map<std::string, std::function<void(Gpu&, Words&)>>& gpu_statements() {
  static const auto* const statements = new std::map<std::string, std::function<void(Gpu&, Words&)>>{
      {"uuid", [](Gpu& gpu, Words& words) { words >> gpu.uuid; }},
      {"name", [](Gpu& gpu, Words& words) { gpu.name = rest_of(words); }},
      {"pci", [](Gpu& gpu, Words& words) { words >> gpu.pci; }},
      {"architecture", [](Gpu& gpu, Words& words) { words >> gpu.architecture; }},
      {"capability", [](Gpu& gpu, Words& words) { words >> gpu.capability_major >> gpu.capability_minor; }},
      {"virtualization", [](Gpu& gpu, Words& words) { words >> gpu.virtualization; }},
      {"mode", [](Gpu& gpu, Words& words) { words >> gpu.mode; }},
      {"memory",
       [](Gpu& gpu, Words& words) {
         gpu.total_bytes = mib(words);
         gpu.reserved_bytes = mib(words);
         gpu.used_bytes = mib(words);
       }},
      {"memory-na", [](Gpu& gpu, Words&) { gpu.memory_na = true; }},
      {"used-holds-reserve", [](Gpu& gpu, Words&) { gpu.used_holds_reserve = true; }},
      {"utilization", [](Gpu& gpu, Words& words) { words >> gpu.gpu_percent >> gpu.memory_percent; }},
      {"clocks", [](Gpu& gpu, Words& words) { words >> gpu.sm_mhz >> gpu.memory_mhz >> gpu.graphics_mhz; }},
      {"throttle", [](Gpu& gpu, Words& words) { words >> std::hex >> gpu.throttle_mask; }},
      {"power", [](Gpu& gpu, Words& words) { words >> gpu.power_milliwatts; }},
      {"energy", [](Gpu& gpu, Words& words) { words >> gpu.energy_millijoules; }},
      {"ecc", [](Gpu& gpu, Words& words) { words >> gpu.ecc_corrected >> gpu.ecc_uncorrected; }},
      {"xid",
       [](Gpu& gpu, Words& words) {
         for (std::string number; words >> number;) gpu.xids.push_back(std::stoull(number));
         words.clear();
       }},
      {"sm-activity", [](Gpu& gpu, Words& words) { words >> gpu.sm_activity_percent; }},
      {"temperature", [](Gpu& gpu, Words& words) { words >> gpu.temperature_celsius; }},
      {"mig", [](Gpu& gpu, Words&) { gpu.mig = true; }},
      {"instance", [](Gpu& gpu, Words& words) { gpu.instances.push_back(instance_from(words)); }},
      {"instance-return", instance_return},
      {"residents", [](Gpu& gpu, Words& words) { gpu.residents_directory = rest_of(words); }},
      {"process", [](Gpu& gpu, Words& words) { gpu.processes.push_back(process_from(words)); }},
      {"return", [](Gpu& gpu, Words& words) { keyed(gpu.returns, words); }},
  };
  return *statements;
}

bool apply_line(Scenario& scenario, const std::string& line) {
  Words words(line.substr(0, line.find('#')));
  std::string key;
  if (!(words >> key)) return true;
  const auto of_gpu = gpu_statements().find(key);
  const auto of_driver = driver_statements().find(key);
  if (!scenario.gpus.empty() && of_gpu != gpu_statements().end()) {
    of_gpu->second(scenario.gpus.back(), words);
  } else if (of_driver != driver_statements().end()) {
    of_driver->second(scenario, words);
  } else {
    return false;
  }
  return !words.fail();
}

[[noreturn]] void give_up(const char* path, const std::string& what) {
  std::fprintf(stderr, "fake NVML: %s: %s\n", path, what.c_str());
  std::abort();
}

std::shared_ptr<const Scenario> read_scenario(const char* path) {
  auto scenario = std::make_shared<Scenario>();
  std::ifstream file(path);
  if (!file) give_up(path, "cannot be read");
  std::string line;
  while (std::getline(file, line)) {
    if (!apply_line(*scenario, line)) give_up(path, "not understood: " + line);
  }
  return scenario;
}

std::vector<Process> residents_of(const Gpu& gpu) {
  std::vector<Process> residents;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(gpu.residents_directory, failure)) {
    std::ifstream file(entry.path());
    std::string text;
    const std::string name = entry.path().filename();
    // A dot in the name: a file that is being written. A process that has ended, a zombie too, has no exe.
    const bool runs = std::filesystem::exists("/proc/" + name + "/exe", failure);
    if (name.find('.') != std::string::npos || !runs || !std::getline(file, text)) continue;
    Words words(text);
    Process process;
    process.pid = static_cast<std::uint32_t>(std::stoul(name));
    process.used_bytes = mib(words);
    words >> process.lists;
    process.name = rest_of(words);
    residents.push_back(process);
  }
  return residents;
}

struct Version {
  ino_t inode = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const Version&) const = default;
};

Version version_of(const char* path) {
  struct stat facts{};
  if (stat(path, &facts) != 0) return {};
  return {facts.st_ino, static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

struct Playing {
  std::mutex mutex;
  std::string path;
  Version version;
  std::shared_ptr<const Scenario> scenario;
};

Playing& playing_now() {
  static auto* const playing = new Playing();
  return *playing;
}

}  // namespace

std::vector<Process> present_processes(const Gpu& gpu) {
  std::vector<Process> all = gpu.processes;
  for (Process& resident : residents_of(gpu)) all.push_back(std::move(resident));
  return all;
}

std::uint64_t present_used_bytes(const Gpu& gpu) {
  std::uint64_t used = gpu.used_bytes;
  for (const Process& resident : residents_of(gpu)) used += resident.used_bytes;
  return used;
}

std::shared_ptr<const Scenario> current_scenario() {
  Playing& playing = playing_now();
  const std::lock_guard lock(playing.mutex);
  const char* path = std::getenv("FAKE_NVML_SCENARIO");
  if (path == nullptr) {
    auto idle = std::make_shared<Scenario>();
    idle->gpus.emplace_back();
    return idle;
  }
  const Version version = version_of(path);
  if (playing.scenario == nullptr || playing.path != path || !(version == playing.version)) {
    playing.scenario = read_scenario(path);
    playing.path = path;
    playing.version = version;
  }
  return playing.scenario;
}

}  // namespace fake_nvml
