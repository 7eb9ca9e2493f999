// Xid errors through a session against the fake library: what is told, what is not, and what is given back.
#include "gpu/xid_events.h"

#include <string>
#include <vector>

#include "check.h"
#include "fake_driver.h"
#include "gpu/nvml_session.h"

namespace mpsbench {
namespace {

using test::Check;
using test::fake_library;
using test::ScenarioFile;

std::shared_ptr<NvmlSession> session_on(const std::string& scenario, const std::string& folder = "") {
  ScenarioFile::play_logged(scenario);
  const auto opened = NvmlSession::open(fake_library(folder));
  if (opened.ok()) return opened.value();
  std::printf("    %s\n", opened.error().detail.c_str());
  std::abort();
}

bool are(const Result<Reading<Xids>>& read, const Xids& expected) {
  return read.ok() && read.value().known() && read.value().value() == expected;
}

void only_errors_of_the_device_since_the_begin_are_told(Check& check) {
  for (const char* folder : {"", "r535", "old"}) {
    const auto session = session_on("gpu\nuuid GPU-a\ngpu\nuuid GPU-b\nxid 13\n", folder);
    CHECK_THAT(check, session->begin_xid_watch(1).ok());
    ScenarioFile::play_logged_on("gpu\nuuid GPU-a\nxid 79\ngpu\nuuid GPU-b\nxid 13 31 43\nxid 31\n");
    CHECK_THAT(check, are(session->end_xid_watch(), {31, 43, 31}));
    CHECK_THAT(check, session->begin_xid_watch(1).ok());
    CHECK_THAT(check, are(session->end_xid_watch(), {}));
    CHECK_THAT(check, ScenarioFile::calls_of("nvmlEventSetCreate") == 2);
    CHECK_THAT(check, ScenarioFile::calls_of("nvmlEventSetFree") == 2);
  }
}

void what_is_in_the_way_is_told_with_its_reason(Check& check) {
  struct Way {
    const char* scenario;
    Reason reason;
    const char* source;
  };
  const std::vector<Way> ways = {
      {"return nvmlDeviceRegisterEvents 3\ngpu\n", Reason::kNotSupported, "nvmlDeviceRegisterEvents"},
      {"return nvmlDeviceRegisterEvents 4\ngpu\n", Reason::kNoPermission, "nvmlDeviceRegisterEvents"},
      {"return nvmlEventSetCreate 999\ngpu\n", Reason::kError, "nvmlEventSetCreate"},
      {"return nvmlEventSetWait_v2 15\ngpu\n", Reason::kLost, "nvmlEventSetWait_v2"},
      {"gpu\nreturn nvmlDeviceGetHandleByIndex_v2 15\n", Reason::kLost, "nvmlDeviceGetHandleByIndex_v2"},
  };
  for (const Way& way : ways) {
    const auto session = session_on(way.scenario);
    CHECK_THAT(check, session->begin_xid_watch(0).ok());
    const auto read = session->end_xid_watch();
    CHECK_THAT(check, read.ok() && !read.value().known());
    if (!read.ok() || read.value().known()) continue;
    CHECK_THAT(check, read.value().why().reason == way.reason);
    CHECK_THAT(check, read.value().why().source == std::string(way.source));
  }
}

void a_flood_ends(Check& check) {
  std::string flood = "gpu\nxid";
  for (std::size_t at = 0; at < kMostXids + 9; ++at) flood += " 63";
  const auto session = session_on("gpu\n");
  CHECK_THAT(check, session->begin_xid_watch(0).ok());
  ScenarioFile::play_logged_on(flood + "\n");
  CHECK_THAT(check, are(session->end_xid_watch(), Xids(kMostXids, 63)));
}

void a_watch_that_nobody_ends_is_given_back(Check& check) {
  const auto session = session_on("gpu\n");
  CHECK_THAT(check, session->begin_xid_watch(0).ok());
  CHECK_THAT(check, session->begin_xid_watch(0).ok());
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlEventSetFree") == 1);
  session->close();
  CHECK_THAT(check, ScenarioFile::calls_of("nvmlEventSetFree") == 2);
  CHECK_THAT(check, !session->begin_xid_watch(0).ok() && session->begin_xid_watch(0).error().code == "GPU_CLOSED");
  const auto read = session->end_xid_watch();
  CHECK_THAT(check, !read.ok() && read.error().code == "GPU_CLOSED");
}

void without_a_begin_nothing_was_asked(Check& check) {
  const auto session = session_on("gpu\nxid 79\n");
  const auto read = session->end_xid_watch();
  CHECK_THAT(check, read.ok() && !read.value().known() && read.value().why().reason == Reason::kNotAsked);
}

void a_call_that_hangs_is_left_behind(Check& check) {
  ScenarioFile::play_logged("gpu\n");
  constexpr std::int64_t kDeadlineNs = 100'000'000;
  {
    const auto opened = NvmlSession::open(fake_library(), kNvmlOpenDeadlineNs, kDeadlineNs);
    CHECK_THAT(check, opened.ok());
    if (!opened.ok()) return;
    ScenarioFile::play_logged_on("hang nvmlDeviceRegisterEvents 600000\ngpu\n");
    const auto begun = opened.value()->begin_xid_watch(0);
    CHECK_THAT(check, !begun.ok() && begun.error().code == "NVML_TIMEOUT");
    const auto read = opened.value()->end_xid_watch();
    CHECK_THAT(check, !read.ok() && read.error().code == "NVML_TIMEOUT");
  }
  // Back from the driver, it gives back what it has.
  ScenarioFile::play_logged_on("gpu\n");
  CHECK_THAT(check, ScenarioFile::wait_for_calls("nvmlEventSetFree", 1));
  CHECK_THAT(check, ScenarioFile::wait_for_calls("nvmlShutdown", 1));
}

constexpr test::Case kCases[] = {
    {"only errors of the watched device since the begin are told, on every driver",
     only_errors_of_the_device_since_the_begin_are_told},
    {"what is in the way is told with its reason", what_is_in_the_way_is_told_with_its_reason},
    {"a flood of errors ends at the most that are kept", a_flood_ends},
    {"a watch that nobody ends is given back, by the next one or by close", a_watch_that_nobody_ends_is_given_back},
    {"a call that hangs is left behind, and gives back what it has when it returns", a_call_that_hangs_is_left_behind},
    {"without a begin nothing was asked", without_a_begin_nothing_was_asked},
};

}  // namespace
}  // namespace mpsbench

int main() {
  const mpsbench::test::ScenarioFile scenario;
  return mpsbench::test::run_cases(mpsbench::kCases);
}
