// The encoder: its arithmetic against double precision, its properties, and the CUDA backend on the fake libcuda.
#include "workload/encoder.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.h"
#include "cuda_scenario.h"
#include "workload/counter_hash.h"
#include "workload/cpu_encoder.h"
#include "workload/cuda_encoder.h"

namespace mpsbench {
namespace {

using test::Check;
using test::CudaScenario;
using test::fake_cuda_path;
using test::FakeCuda;

using Floats = std::vector<float>;

constexpr EncoderSpec kSmall{{.layers = 2, .hidden = 48, .feed_forward = 80, .sequence = 9}, 20261122, 20};

Floats run(Encoder& encoder, const EncoderSpec& spec, const std::vector<std::uint64_t>& requests) {
  Floats pooled(requests.size() * static_cast<std::size_t>(spec.dimensions.hidden));
  const Status status = encoder.run(requests, pooled);
  if (!status.ok()) std::abort();
  return pooled;
}

Floats run_on_cpu(const EncoderSpec& spec, const std::vector<std::uint64_t>& requests) {
  return run(*make_cpu_encoder(spec).encoder, spec, requests);
}

double largest_difference(const Floats& left, const Floats& right) {
  if (left.size() != right.size()) return INFINITY;
  double most = 0;
  for (std::size_t i = 0; i < left.size(); ++i) most = std::max(most, std::abs(double{left[i]} - double{right[i]}));
  return most;
}

// The formulas of encoder.h word by word in double precision, for one request.
class Reference {
 public:
  explicit Reference(const EncoderSpec& spec) : d_(spec.dimensions), seed_(spec.seed), x_(cells(d_.hidden)) {}

  Floats pooled(std::uint64_t request) {
    const std::uint64_t key = derived_key(derived_key(seed_, 0), request);
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] = std::sqrt(3.0) * double{uniform(key, i)};
    for (int layer = 0; layer < d_.layers; ++layer) encode(layer);
    Floats mean(static_cast<std::size_t>(d_.hidden));
    for (std::size_t j = 0; j < mean.size(); ++j) {
      double sum = 0;
      for (std::size_t t = 0; t < static_cast<std::size_t>(d_.sequence); ++t) sum += x_[t * mean.size() + j];
      mean[j] = static_cast<float>(sum / d_.sequence);
    }
    return mean;
  }

 private:
  using Doubles = std::vector<double>;

  [[nodiscard]] std::size_t cells(int columns) const {
    return static_cast<std::size_t>(d_.sequence) * static_cast<std::size_t>(columns);
  }

  Doubles product(const Doubles& from, int number, int depth, int columns) const {
    const auto p = static_cast<std::uint64_t>(number);
    const std::uint64_t weight_key = derived_key(seed_, 1 + 2 * p);
    const std::uint64_t bias_key = derived_key(seed_, 2 + 2 * p);
    const auto width = static_cast<std::size_t>(columns);
    const auto height = static_cast<std::size_t>(depth);
    Doubles to(cells(columns));
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = 0.1 * double{uniform(bias_key, i % width)};
    for (std::size_t k = 0; k < height; ++k) {
      for (std::size_t n = 0; n < width; ++n) {
        const double weight = std::sqrt(3.0 / depth) * double{uniform(weight_key, k * width + n)};
        for (std::size_t t = 0; t < static_cast<std::size_t>(d_.sequence); ++t) {
          to[t * width + n] += from[t * height + k] * weight;
        }
      }
    }
    return to;
  }

  void add_and_normalise(const Doubles& added) {
    const auto hidden = static_cast<std::size_t>(d_.hidden);
    for (std::size_t row = 0; row < x_.size(); row += hidden) {
      double mean = 0;
      double variance = 0;
      for (std::size_t j = row; j < row + hidden; ++j) x_[j] += added[j];
      for (std::size_t j = row; j < row + hidden; ++j) mean += x_[j] / d_.hidden;
      for (std::size_t j = row; j < row + hidden; ++j) variance += (x_[j] - mean) * (x_[j] - mean) / d_.hidden;
      for (std::size_t j = row; j < row + hidden; ++j) x_[j] = (x_[j] - mean) / std::sqrt(variance + 1e-5);
    }
  }

  void encode(int layer) {
    const int first = 6 * layer;
    Doubles y = x_;
    for (int number = 0; number < 4; ++number) y = product(y, first + number, d_.hidden, d_.hidden);
    add_and_normalise(y);
    Doubles wide = product(x_, first + 4, d_.hidden, d_.feed_forward);
    for (double& v : wide) {
      const double u = std::sqrt(2.0 / 3.14159265358979323846) * (v + 0.044715 * v * v * v);
      v = 0.5 * v * (1.0 + std::tanh(u));
    }
    add_and_normalise(product(wide, first + 5, d_.feed_forward, d_.hidden));
  }

  EncoderDimensions d_;
  std::uint64_t seed_;
  Doubles x_;
};

void the_cpu_follows_the_written_formulas(Check& check) {
  for (const EncoderDimensions& dimensions : {EncoderDimensions{1, 16, 16, 1}, EncoderDimensions{2, 48, 80, 9},
                                              EncoderDimensions{3, 128, 512, 5}, EncoderDimensions{12, 64, 48, 3}}) {
    const EncoderSpec spec{dimensions, 99, 1};
    for (const std::uint64_t request : {0ULL, 7ULL, ~0ULL}) {
      const double difference = largest_difference(run_on_cpu(spec, {request}), Reference(spec).pooled(request));
      CHECK_THAT(check, difference < kEncoderTolerance / 4);
    }
  }
}

void the_same_seeds_give_the_same_bits(Check& check) {
  CHECK_THAT(check, run_on_cpu(kSmall, {1, 2, 3}) == run_on_cpu(kSmall, {1, 2, 3}));
  const CpuEncoder made = make_cpu_encoder(kSmall);
  const Floats first = run(*made.encoder, kSmall, {5});
  run(*made.encoder, kSmall, {6, 7, 8});
  CHECK_THAT(check, run(*made.encoder, kSmall, {5}) == first);
}

void a_request_does_not_depend_on_its_batch_mates(Check& check) {
  const CpuEncoder made = make_cpu_encoder(kSmall);
  const Floats alone = run(*made.encoder, kSmall, {42});
  for (std::size_t size = 2; size <= 20; ++size) {
    for (const std::size_t place : {std::size_t{0}, size / 2, size - 1}) {
      std::vector<std::uint64_t> requests(size, 1000 + size);
      requests[place] = 42;
      const Floats batch = run(*made.encoder, kSmall, requests);
      CHECK_THAT(check,
                 std::equal(alone.begin(), alone.end(), batch.begin() + static_cast<long>(place * alone.size())));
    }
  }
}

void different_seeds_give_different_answers(Check& check) {
  EncoderSpec other = kSmall;
  other.seed += 1;
  const Floats answer = run_on_cpu(kSmall, {1});
  CHECK_THAT(check, largest_difference(answer, run_on_cpu(kSmall, {2})) > 0.01);
  CHECK_THAT(check, largest_difference(answer, run_on_cpu(other, {1})) > 0.01);
}

void answers_stay_of_order_one_through_many_layers(Check& check) {
  const EncoderSpec deep{{.layers = 64, .hidden = 32, .feed_forward = 64, .sequence = 4}, 3, 1};
  for (const float value : run_on_cpu(deep, {1})) CHECK_THAT(check, std::abs(value) < 10.0F);
}

void uniform_draws_fill_the_interval_evenly(Check& check) {
  constexpr int kDraws = 100'000;
  double sum = 0;
  double squares = 0;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double value = double{uniform(derived_key(1, 2), i)};
    CHECK_THAT(check, value >= -1.0 && value < 1.0);
    sum += value;
    squares += value * value;
  }
  // Five standard errors of the mean (√(1/3)) and of the mean square (√(4/45)).
  CHECK_THAT(check, std::abs(sum / kDraws) < 5 * std::sqrt(1.0 / 3 / kDraws));
  CHECK_THAT(check, std::abs(squares / kDraws - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / kDraws));
}

void cuda_and_cpu_agree_within_the_tolerance(Check& check) {
  for (const EncoderDimensions& dimensions : {EncoderDimensions{1, 16, 16, 1}, EncoderDimensions{2, 48, 80, 9},
                                              EncoderDimensions{2, 128, 512, 32}, EncoderDimensions{1, 80, 16, 130}}) {
    const EncoderSpec spec{dimensions, 7, 5};
    Result<CudaEncoder> made = make_cuda_encoder(spec, fake_cuda_path(), std::nullopt);
    if (!made.ok()) std::abort();
    for (const std::vector<std::uint64_t>& requests : {std::vector<std::uint64_t>{3}, {1, 2, 3, 4, ~0ULL}, {8, 9}}) {
      const Floats on_cuda = run(*made.value().encoder, spec, requests);
      CHECK_THAT(check, largest_difference(on_cuda, run_on_cpu(spec, requests)) < kEncoderTolerance);
    }
  }
}

void a_closed_cuda_encoder_leaves_nothing(Check& check) {
  const FakeCuda fake;
  {
    const Result<CudaEncoder> made = make_cuda_encoder(kSmall, fake_cuda_path(), std::nullopt);
    CHECK_THAT(check, made.ok() && fake.live_allocations() > 0 && fake.retained() == 1);
  }
  CHECK_THAT(check, fake.live_allocations() == 0 && fake.retained() == 0);
}

void a_batch_synchronises_once_and_allocates_nothing(Check& check) {
  const FakeCuda fake;
  const Result<CudaEncoder> made = make_cuda_encoder(kSmall, fake_cuda_path(), std::nullopt);
  const int allocations = fake.calls("cuMemAlloc");
  const int synchronisations = fake.calls("cuStreamSynchronize");
  run(*made.value().encoder, kSmall, {1, 2, 3});
  CHECK_THAT(check, fake.calls("cuMemAlloc") == allocations);
  CHECK_THAT(check, fake.calls("cuStreamSynchronize") == synchronisations + 1);
}

constexpr test::Case kCases[] = {
    {"the CPU follows the written formulas", the_cpu_follows_the_written_formulas},
    {"the same seeds give the same bits", the_same_seeds_give_the_same_bits},
    {"a request does not depend on its batch mates", a_request_does_not_depend_on_its_batch_mates},
    {"different seeds give different answers", different_seeds_give_different_answers},
    {"answers stay of order one through many layers", answers_stay_of_order_one_through_many_layers},
    {"uniform draws fill the interval evenly", uniform_draws_fill_the_interval_evenly},
    {"CUDA and CPU agree within the tolerance", cuda_and_cpu_agree_within_the_tolerance},
    {"a closed CUDA encoder leaves nothing", a_closed_cuda_encoder_leaves_nothing},
    {"a batch synchronises once and allocates nothing", a_batch_synchronises_once_and_allocates_nothing},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
