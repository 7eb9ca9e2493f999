// Gives a native test the fake NVML library: which one, and the scenario that it plays.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace mpsbench::test {

// Where CMake puts the fakes; the test's CMakeLists.txt says.
inline std::string fake_library(const std::string& folder = "") {
  return std::string(MPSBENCH_FAKE_DIR) + (folder.empty() ? "" : "/" + folder) + "/libnvidia-ml.so.1";
}

// The scenario file of one test program. Made before any thread, since it sets the environment.
class ScenarioFile {
 public:
  ScenarioFile() : directory_(std::filesystem::temp_directory_path() / ("mpsbench-test-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(directory_);
    setenv("FAKE_NVML_SCENARIO", path("scenario").c_str(), 1);
    play("gpu\n");
  }
  ScenarioFile(const ScenarioFile&) = delete;
  ScenarioFile& operator=(const ScenarioFile&) = delete;
  ~ScenarioFile() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  // Static members reach it through the environment, so that cases stay plain functions.
  static void play(const std::string& text) {
    const std::string target = std::getenv("FAKE_NVML_SCENARIO");
    std::ofstream(target + ".new") << text;
    std::filesystem::rename(target + ".new", target);
  }

  // As play(), with a fresh log of the calls that the library gets from now on.
  static void play_logged(const std::string& text) {
    std::filesystem::remove(log_path());
    play_logged_on(text);
  }
  // As play(), going on with the log.
  static void play_logged_on(const std::string& text) { play("log " + log_path() + "\n" + text); }

  static std::size_t calls_of(const std::string& symbol) {
    std::ifstream file(log_path());
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) count += line == symbol ? 1 : 0;
    return count;
  }
  // False where it does not come to that many calls within 20 seconds.
  static bool wait_for_calls(const std::string& symbol, std::size_t count) {
    for (int tries = 0; tries < 20'000; ++tries) {
      if (calls_of(symbol) >= count) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

 private:
  static std::string log_path() { return std::string(std::getenv("FAKE_NVML_SCENARIO")) + ".log"; }
  [[nodiscard]] std::string path(const char* name) const { return (directory_ / name).string(); }

  std::filesystem::path directory_;
};

}  // namespace mpsbench::test
