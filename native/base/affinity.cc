#include "base/affinity.h"

#include <dirent.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>

namespace mpsbench {
namespace {

Error not_set(int code) {
  const std::string why = std::strerror(code);
  return {"CPUS_NOT_SET", "the CPUs of this process could not be set (" + why + "): name CPUs that it may use", code};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Thread IDs; empty where /proc is not mounted.
std::set<pid_t> thread_ids() {
  std::set<pid_t> ids;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir("/proc/self/task"));
  if (!directory) return ids;
  while (const dirent* entry = ::readdir(directory.get())) {
    const pid_t id = std::atoi(entry->d_name);
    if (id > 0) ids.insert(id);
  }
  return ids;
}

}  // namespace

cpu_set_t cpu_set_of(std::span<const std::uint32_t> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const std::uint32_t cpu : cpus) CPU_SET(cpu, &set);
  return set;
}

Status set_thread_cpus(std::span<const std::uint32_t> cpus) {
  const cpu_set_t set = cpu_set_of(cpus);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) return not_set(errno);
  return Ok{};
}

Status set_process_cpus(std::span<const std::uint32_t> cpus) {
  const cpu_set_t set = cpu_set_of(cpus);
  if (const Status own = set_thread_cpus(cpus); !own.ok()) return own.error();
  // A thread inherits from the one that starts it, which may not have been reached yet; hence until none is new.
  std::set<pid_t> done;
  for (bool found = true; found;) {
    found = false;
    for (const pid_t id : thread_ids()) {
      if (!done.insert(id).second) continue;
      found = true;
      if (::sched_setaffinity(id, sizeof set, &set) != 0 && errno != ESRCH) return not_set(errno);
    }
  }
  return Ok{};
}

}  // namespace mpsbench
