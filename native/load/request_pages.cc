#include "load/request_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace mpsbench {
namespace {

// Below, the calls for single pages cost more than the copy.
constexpr std::size_t kWorthPagesBytes = 16 * 1024;
// The requests are in memory once more.
constexpr off_t kMostBytes = off_t{64} * 1024 * 1024;
constexpr off_t kPageBytes = 4096;

bool write_all(int file, off_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    offset += written;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

RequestPages::RequestPages(const std::vector<PreparedRequest>& requests) : places_(requests.size()) {
  off_t end = 0;
  for (std::size_t index = 0; index < requests.size(); ++index) {
    const std::string_view bytes = requests[index].bytes;
    const auto length = static_cast<off_t>(bytes.size());
    if (!requests[index].fields.empty() || bytes.size() < kWorthPagesBytes || end + length > kMostBytes) continue;
    if (!file_.valid()) file_ = UniqueFd(::memfd_create("mpsbench-requests", MFD_CLOEXEC));
    if (!file_.valid() || !write_all(file_.get(), end, bytes)) return;
    places_[index] = {file_.get(), end};
    end += (length + kPageBytes - 1) / kPageBytes * kPageBytes;
  }
}

}  // namespace mpsbench
