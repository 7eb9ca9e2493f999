// Owner of one dlopened library. Thread: any, after construction.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace mpsbench {

class SharedLibrary {
 public:
  // Opens the first of `names` that the dynamic linker accepts (RTLD_NOW | RTLD_LOCAL). On failure the error has
  // `missing_code` and the linker's own message for every name.
  static Result<SharedLibrary> open(const std::vector<std::string>& names, const std::string& missing_code);

  SharedLibrary(SharedLibrary&& other) noexcept;
  SharedLibrary& operator=(SharedLibrary&& other) noexcept;
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;
  ~SharedLibrary();

  // The path that the linker really mapped.
  [[nodiscard]] const std::string& path() const { return path_; }

  // nullptr where the library has no such symbol.
  template <class Function>
  [[nodiscard]] Function symbol(const char* name) const {
    return reinterpret_cast<Function>(raw_symbol(name));
  }

 private:
  SharedLibrary(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  [[nodiscard]] void* raw_symbol(const char* name) const;

  void* handle_;
  std::string path_;
};

}  // namespace mpsbench
