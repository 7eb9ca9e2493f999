// Plays a scenario on the fake libcuda, and asks the fake what is left of it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>

#include "base/shared_library.h"

namespace mpsbench::test {

inline std::string fake_cuda_path(const std::string& folder = "") {
  return std::string(MPSBENCH_FAKE_DIR) + (folder.empty() ? "" : "/" + folder) + "/libcuda.so.1";
}

// The scenario is in force as long as this lives; the fake reads it at the next cuInit.
class CudaScenario {
 public:
  CudaScenario(std::initializer_list<std::string> lines) {
    char path[] = "/tmp/mpsbench-cuda-XXXXXX";
    const int file = mkstemp(path);
    if (file < 0) std::abort();
    path_ = path;
    std::ofstream stream(path_);
    for (const std::string& line : lines) stream << line << "\n";
    setenv("FAKE_CUDA_SCENARIO", path, 1);
  }
  CudaScenario(const CudaScenario&) = delete;
  CudaScenario& operator=(const CudaScenario&) = delete;
  ~CudaScenario() {
    unsetenv("FAKE_CUDA_SCENARIO");
    std::remove(path_.c_str());
  }

 private:
  std::string path_;
};

// The fake's own counters. The library is loaded once however often it is opened.
class FakeCuda {
 public:
  FakeCuda() : library_(SharedLibrary::open({fake_cuda_path()}, "")) {
    if (!library_.ok()) std::abort();
  }
  [[nodiscard]] int live_allocations() const { return ask("fake_cuda_live_allocations"); }
  [[nodiscard]] int retained() const { return ask("fake_cuda_retained"); }
  [[nodiscard]] int calls(const char* call) const {
    return library_.value().symbol<int (*)(const char*)>("fake_cuda_calls")(call);
  }

 private:
  [[nodiscard]] int ask(const char* name) const { return library_.value().symbol<int (*)()>(name)(); }

  Result<SharedLibrary> library_;
};

}  // namespace mpsbench::test
