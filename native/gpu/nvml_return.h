// What an NVML return code means: its name, the reason it stands for and the error that it makes. Thread: any.
#pragma once

#include <string>

#include "base/result.h"
#include "gpu/gpu_sample.h"
#include "gpu/nvml_abi.h"

namespace mpsbench {

// "not-supported" and its kin, as lib/records/availability.ts spells them.
[[nodiscard]] const char* name_of(Reason reason);

// Why a fact is not known, from the code with which `symbol` answered. Codes that this project does not know are
// Reason::kError with the number kept.
[[nodiscard]] Unavailable unavailable(nvml::Return code, const char* symbol);

// Why a session could not be opened, from the code with which `symbol` of the library at `path` answered.
[[nodiscard]] Error open_error(nvml::Return code, const char* symbol, const std::string& path);

// NVML_TIMEOUT: `what` could not be done because a call into the driver did not return.
[[nodiscard]] Error hang_error(const std::string& what);

// Whether an older form of the same call may answer where this code came back.
[[nodiscard]] bool older_form_may_answer(nvml::Return code);

}  // namespace mpsbench
