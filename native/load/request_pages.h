// Long requests in pages of memory that the kernel sends as they are, instead of copying the bytes of each one.
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/unique_fd.h"
#include "load/load_spec.h"

namespace mpsbench {

// Where the kernel finds a request; no file where it has to be given the bytes.
struct PagePlace {
  int file = -1;
  off_t offset = 0;
};

// One file in memory for all threads of a run. Thread: any, after construction.
class RequestPages {
 public:
  // No place have requests that are short, templates, what comes after the first 64 MiB, and all of them where the
  // system gives no such file.
  explicit RequestPages(const std::vector<PreparedRequest>& requests);

  // `request`: index into the requests.
  [[nodiscard]] PagePlace of(std::size_t request) const { return places_[request]; }

 private:
  UniqueFd file_;
  std::vector<PagePlace> places_;
};

}  // namespace mpsbench
