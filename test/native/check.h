// The native tests' own harness: named cases in a table, checks that go on, an exit status for CTest.
#pragma once

#include <cstdio>
#include <span>

namespace mpsbench::test {

// Counts what failed in one case. Thread: one.
class Check {
 public:
  void that(bool holds, const char* expression, const char* file, int line) {
    if (holds) return;
    failures_ += 1;
    std::printf("    %s:%d: not so: %s\n", file, line, expression);
  }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  int failures_ = 0;
};

#define CHECK_THAT(check, ...) (check).that(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// name: a sentence about behaviour.
struct Case {
  const char* name;
  void (*run)(Check& check);
};

// Runs every case; 0 if all hold. What main() returns.
inline int run_cases(std::span<const Case> cases) {
  int failed = 0;
  for (const Case& one : cases) {
    Check check;
    one.run(check);
    std::printf("%s %s\n", check.failures() == 0 ? "ok  " : "FAIL", one.name);
    std::fflush(stdout);
    if (check.failures() != 0) failed += 1;
  }
  std::printf("%d of %d cases failed\n", failed, static_cast<int>(cases.size()));
  return failed == 0 ? 0 : 1;
}

}  // namespace mpsbench::test
