// Which CPUs threads may run on.
#pragma once

#include <sched.h>

#include <cstdint>
#include <span>

#include "base/result.h"

namespace mpsbench {

// CPUs are numbered from 0 to kMostCpus - 1.
constexpr std::uint32_t kMostCpus = CPU_SETSIZE;

cpu_set_t cpu_set_of(std::span<const std::uint32_t> cpus);

// The calling thread; a process that it starts inherits them. Error: CPUS_NOT_SET, where none of them is allowed here.
Status set_thread_cpus(std::span<const std::uint32_t> cpus);

// Every thread of this process, those that are started meanwhile included. Error: CPUS_NOT_SET.
Status set_process_cpus(std::span<const std::uint32_t> cpus);

}  // namespace mpsbench
