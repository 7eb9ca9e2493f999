// Gives a native test the fake NVML library: which one, and the scenario that it plays.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

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

  // A fresh path for `log`; what it holds is read back with text_of().
  static std::string log_path() {
    const std::string path = std::string(std::getenv("FAKE_NVML_SCENARIO")) + ".log";
    std::filesystem::remove(path);
    return path;
  }
  static std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  [[nodiscard]] std::string path(const char* name) const { return (directory_ / name).string(); }

  std::filesystem::path directory_;
};

}  // namespace mpsbench::test
