// The encoder's kernels as the fake libcuda runs them.
#pragma once

#include <cstring>

namespace fake_cuda {

// The parameters of a launch, as the driver gets them: an array of pointers to the values.
struct Parameters {
  void** values;

  template <class T>
  T get(int index) const {
    T value;
    std::memcpy(&value, values[index], sizeof value);
    return value;
  }
};

struct Launch {
  unsigned grid_x;
  unsigned grid_y;
  unsigned block_x;
  Parameters parameters;
};

struct Kernel {
  const char* name;
  int (*run)(const Launch&);
};

// nullptr for any other name.
const Kernel* find_kernel(const char* name);

}  // namespace fake_cuda
