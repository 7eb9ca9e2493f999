// The CUDA driver side on the fake libcuda: errors with their names, choice of the device, and a failure at every call.
#include "gpu/cuda_driver.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"
#include "cuda_scenario.h"
#include "gpu/cuda_context.h"
#include "gpu/cuda_errors.h"
#include "workload/cuda_encoder.h"

namespace mpsbench {
namespace {

using cuda::Driver;
using test::Check;
using test::CudaScenario;
using test::fake_cuda_path;
using test::FakeCuda;

constexpr EncoderSpec kSpec{{.layers = 1, .hidden = 16, .feed_forward = 32, .sequence = 2}, 1, 2};
constexpr std::uint64_t kRequests[] = {1, 2};

Driver open_fake(const std::string& folder = "") {
  Result<Driver> driver = Driver::open(fake_cuda_path(folder));
  if (!driver.ok()) std::abort();
  return std::move(driver.value());
}

void a_missing_library_is_told_in_the_linkers_words(Check& check) {
  const Result<Driver> driver = Driver::open("/nowhere/libcuda.so.1");
  CHECK_THAT(check, !driver.ok() && driver.error().code == "CUDA_LIBRARY_MISSING");
  CHECK_THAT(check, driver.error().detail.find("/nowhere/libcuda.so.1: cannot open") != std::string::npos);
}

void errors_have_names_numbers_and_advice(Check& check) {
  constexpr struct {
    int code;
    const char* name;
    const char* advice;
  } kExpected[] = {
      {2, "CUDA_ERROR_OUT_OF_MEMORY", "fewer workers"},
      {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "exclusive compute mode"},
      {805, "CUDA_ERROR_MPS_CONNECTION_FAILED", "CUDA_MPS_PIPE_DIRECTORY"},
      {806, "CUDA_ERROR_MPS_RPC_FAILURE", "server is gone"},
      {807, "CUDA_ERROR_MPS_SERVER_NOT_READY", "recovering"},
      {808, "CUDA_ERROR_MPS_MAX_CLIENTS_REACHED", "client limit"},
      {809, "CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED", "CUDA_DEVICE_MAX_CONNECTIONS"},
      {810, "CUDA_ERROR_MPS_CLIENT_TERMINATED", "terminate_client"},
  };
  for (const std::string folder : {"", "old"}) {
    const Driver driver = open_fake(folder);
    for (const auto& expected : kExpected) {
      const Error error = driver.error(driver.failure(expected.code, "cuThing"), "GPU 0");
      const std::string head =
          std::string("cuThing failed on GPU 0: ") + expected.name + " (" + std::to_string(expected.code) + "); ";
      CHECK_THAT(check, error.code == "CUDA_CALL_FAILED" && error.native_code == expected.code);
      CHECK_THAT(check, error.detail.rfind(head, 0) == 0);
      CHECK_THAT(check, error.detail.find(expected.advice) != std::string::npos);
    }
  }
}

void an_unknown_error_keeps_its_number(Check& check) {
  const Driver driver = open_fake();
  const Error error = driver.error(driver.failure(987654, "cuThing"), "GPU 0");
  CHECK_THAT(check, error.detail.find("cuThing failed on GPU 0: CUDA error (987654); ") == 0);
}

void a_device_is_chosen_by_uuid_whatever_the_prefix(Check& check) {
  const std::vector<cuda::VisibleDevice> devices = {
      {0, "GPU-00000000-0000-0000-0000-000000000001", "first"},
      {1, "GPU-00000000-0000-0000-0000-000000000002", "second"},
      {2, std::nullopt, "GPU 2"},
  };
  CHECK_THAT(check, cuda::choose_device(devices, std::nullopt).value().handle == 0);
  CHECK_THAT(check, cuda::choose_device(devices, "GPU-00000000-0000-0000-0000-000000000002").value().handle == 1);
  CHECK_THAT(check, cuda::choose_device(devices, "MIG-00000000-0000-0000-0000-000000000002").value().handle == 1);
  for (const std::string wrong : {"", "GPU-", "GPU-00000000-0000-0000-0000-000000000003"}) {
    const Result<cuda::VisibleDevice> chosen = cuda::choose_device(devices, wrong);
    CHECK_THAT(check, !chosen.ok() && chosen.error().code == "CUDA_CALL_FAILED");
  }
}

void no_device_is_an_error_not_an_empty_list(Check& check) {
  const CudaScenario scenario{"no_devices"};
  const Result<CudaEncoder> made = make_cuda_encoder(kSpec, fake_cuda_path(), std::nullopt);
  CHECK_THAT(check, !made.ok() && made.error().native_code == 100);
}

void memory_that_does_not_suffice_is_out_of_memory(Check& check) {
  const CudaScenario scenario{"memory_mib 0"};
  const Result<CudaEncoder> made = make_cuda_encoder(kSpec, fake_cuda_path(), std::nullopt);
  CHECK_THAT(check, !made.ok() && made.error().native_code == 2);
}

void the_share_of_sms_is_seen_under_mps_only(Check& check) {
  setenv("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "10", 1);
  for (const bool mps : {false, true}) {
    const CudaScenario scenario{mps ? "mps_enabled 1" : "mps_enabled 0"};
    const Driver driver = open_fake();
    std::optional<cuda::PrimaryContext> held;
    const Result<cuda::ContextReading> reading = cuda::read_context(driver, std::nullopt, held);
    CHECK_THAT(check, reading.ok() && reading.value().facts.mps_enabled == mps);
    CHECK_THAT(check, reading.value().facts.multiprocessor_count == (mps ? 12 : 132));
  }
  unsetenv("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE");
}

// Creates an encoder and runs a batch; the error's number, or 0.
int create_and_run() {
  Result<CudaEncoder> made = make_cuda_encoder(kSpec, fake_cuda_path(), std::nullopt);
  if (!made.ok()) return made.error().native_code;
  std::vector<float> pooled(32);
  const Status status = made.value().encoder->run(kRequests, pooled);
  return status.ok() ? 0 : status.error().native_code;
}

void a_failure_at_any_call_is_reported_and_leaves_nothing(Check& check) {
  const FakeCuda fake;
  for (const char* call : {"cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDevicePrimaryCtxRetain", "cuCtxSetCurrent",
                           "cuStreamCreate", "cuModuleLoadData", "cuModuleGetFunction", "cuMemAlloc", "cuLaunchKernel",
                           "cuStreamSynchronize", "cuMemcpyHtoDAsync", "cuMemcpyDtoH"}) {
    CHECK_THAT(check, create_and_run() == 0);
    const int times = fake.calls(call);
    CHECK_THAT(check, times > 0);
    for (int nth = 1; nth <= times; ++nth) {
      const CudaScenario scenario{"return " + std::string(call) + "@" + std::to_string(nth) + " 719"};
      const int code = create_and_run();
      // Making the context current once more before it is released is best effort.
      const bool expected = code == 719 || (code == 0 && std::string(call) == "cuCtxSetCurrent");
      if (!expected) std::printf("    %s@%d gave %d\n", call, nth, code);
      CHECK_THAT(check, expected);
      CHECK_THAT(check, fake.live_allocations() == 0 && fake.retained() == 0);
    }
  }
}

void facts_that_cannot_be_read_do_not_stop_an_encoder(Check& check) {
  const CudaScenario scenario{"return cuDeviceGetAttribute 999", "return cuDeviceGetUuid 999",
                              "return cuDevicePrimaryCtxSetFlags 708"};
  const Result<CudaEncoder> made = make_cuda_encoder(kSpec, fake_cuda_path(), std::nullopt);
  CHECK_THAT(check, made.ok());
  const cuda::DeviceFacts& facts = made.value().facts;
  CHECK_THAT(check, !facts.uuid && !facts.mps_enabled && !facts.multiprocessor_count && facts.missing.size() == 3);
}

constexpr test::Case kCases[] = {
    {"a missing library is told in the linker's words", a_missing_library_is_told_in_the_linkers_words},
    {"errors have names, numbers and advice, also from a driver that has none", errors_have_names_numbers_and_advice},
    {"an unknown error keeps its number", an_unknown_error_keeps_its_number},
    {"a device is chosen by UUID whatever the prefix", a_device_is_chosen_by_uuid_whatever_the_prefix},
    {"no device is an error, not an empty list", no_device_is_an_error_not_an_empty_list},
    {"memory that does not suffice is out of memory", memory_that_does_not_suffice_is_out_of_memory},
    {"the share of SMs is seen under MPS only", the_share_of_sms_is_seen_under_mps_only},
    {"a failure at any call is reported and leaves nothing", a_failure_at_any_call_is_reported_and_leaves_nothing},
    {"facts that cannot be read do not stop an encoder", facts_that_cannot_be_read_do_not_stop_an_encoder},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
