#include "workload/cuda_encoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "workload/cuda_model.h"
#include "workload/encoder_layout.h"

namespace mpsbench {
namespace {

using cuda::DevicePointer;
using cuda::Driver;

constexpr unsigned kBlock = 256;
constexpr unsigned kTileColumns = 64;
constexpr unsigned kTallTileRows = 128;
constexpr unsigned kShortTileRows = 64;
// Enough blocks for any GPU; the fill kernel strides over the rest.
constexpr unsigned kFillBlocks = 4096;
constexpr int kMultiprocessorsIfUnknown = 64;

struct Grid {
  unsigned x = 1;
  unsigned y = 1;
};

unsigned blocks_for(std::uint64_t items, unsigned per_block) {
  return static_cast<unsigned>((items + per_block - 1) / per_block);
}

// Activations on the device; rows are padded to a whole number of tall tiles, so that the kernels guard no row. What is
// in the padding never matters, since a row of a product depends on nothing but that row.
struct Activations {
  DevicePointer x = 0;
  DevicePointer odd = 0;
  DevicePointer even = 0;
  DevicePointer wide = 0;
  DevicePointer seeds = 0;
  DevicePointer pooled = 0;
};

// Thread: the one that made it.
class GpuEncoder final : public Encoder {
 public:
  GpuEncoder(const EncoderSpec& spec, std::unique_ptr<Driver> driver, cuda::PrimaryContext context, std::string subject,
             int multiprocessors)
      : dimensions_(spec.dimensions),
        max_batch_size_(static_cast<std::size_t>(spec.max_batch_size)),
        layout_(spec.dimensions, spec.seed),
        driver_(std::move(driver)),
        context_(std::move(context)),
        resources_(*driver_, std::move(subject)),
        multiprocessors_(static_cast<unsigned>(multiprocessors)) {}

  ~GpuEncoder() override { static_cast<void>(context_.make_current()); }

  Status prepare();
  Status run(std::span<const std::uint64_t> requests, std::span<float> pooled) override;

 private:
  struct Step {
    DevicePointer from = 0;
    DevicePointer to = 0;
    DevicePointer residual = 0;
    int gelu = 0;
  };

  template <class... Arguments>
  Status launch(cuda::Function kernel, Grid grid, const char* name, Arguments... arguments);
  Status allocate_all();
  Status draw_weights();
  Status fill(DevicePointer to, std::uint64_t count, std::uint64_t key, float scale);
  Status embed(std::uint64_t requests);
  Status multiply(int layer, int number, unsigned rows, const Step& step);
  Status normalise(unsigned rows);
  Status encode_layer(int layer, unsigned rows);
  Status synchronise();

  [[nodiscard]] std::uint64_t hidden() const { return static_cast<std::uint64_t>(dimensions_.hidden); }
  [[nodiscard]] std::uint64_t sequence() const { return static_cast<std::uint64_t>(dimensions_.sequence); }

  EncoderDimensions dimensions_;
  std::size_t max_batch_size_;
  EncoderLayout layout_;
  // The order matters: what is below is released first.
  std::unique_ptr<Driver> driver_;
  cuda::PrimaryContext context_;
  DeviceResources resources_;
  unsigned multiprocessors_;
  DevicePointer model_ = 0;
  Activations activations_;
};

Status GpuEncoder::prepare() {
  Status status = resources_.load_kernels();
  if (status.ok()) status = allocate_all();
  if (status.ok()) status = draw_weights();
  if (status.ok()) status = synchronise();
  return status;
}

Status GpuEncoder::allocate_all() {
  const std::uint64_t rows =
      std::uint64_t{blocks_for(max_batch_size_ * sequence(), kTallTileRows)} * std::uint64_t{kTallTileRows};
  const std::uint64_t wide_floats = rows * static_cast<std::uint64_t>(dimensions_.feed_forward);
  const struct {
    DevicePointer* pointer;
    std::uint64_t floats;
  } wanted[] = {
      {&model_, layout_.total_floats()},
      {&activations_.x, rows * hidden()},
      {&activations_.odd, rows * hidden()},
      {&activations_.even, rows * hidden()},
      {&activations_.wide, wide_floats},
      {&activations_.seeds, max_batch_size_ * 2},
      {&activations_.pooled, max_batch_size_ * hidden()},
  };
  for (const auto& [pointer, floats] : wanted) {
    Result<DevicePointer> allocated = resources_.allocate(floats * sizeof(float));
    if (!allocated.ok()) return allocated.error();
    *pointer = allocated.value();
  }
  return Ok{};
}

Status GpuEncoder::draw_weights() {
  for (int layer = 0; layer < dimensions_.layers; ++layer) {
    for (int number = 0; number < kProductsPerLayer; ++number) {
      const ProductLayout product = layout_.product(layer, number);
      const auto columns = static_cast<std::uint64_t>(product.columns);
      Status status =
          fill(model_ + product.weight_offset * sizeof(float), static_cast<std::uint64_t>(product.depth) * columns,
               product.weight_key, product.weight_scale);
      if (!status.ok()) return status;
      status = fill(model_ + product.bias_offset * sizeof(float), columns, product.bias_key, kBiasScale);
      if (!status.ok()) return status;
    }
  }
  return Ok{};
}

Status GpuEncoder::run(std::span<const std::uint64_t> requests, std::span<float> pooled) {
  Status status = resources_.checked(context_.make_current(), "cuCtxSetCurrent");
  if (!status.ok()) return status;
  const void* seeds = requests.data();
  status = resources_.checked(Driver::call(driver_->entries().copy_to_device_async, activations_.seeds, seeds,
                                           requests.size_bytes(), resources_.stream()),
                              "cuMemcpyHtoDAsync");
  if (status.ok()) status = embed(requests.size());
  const auto rows = static_cast<unsigned>(requests.size() * sequence());
  for (int layer = 0; status.ok() && layer < dimensions_.layers; ++layer) status = encode_layer(layer, rows);
  if (!status.ok()) return status;
  status = launch(resources_.kernels().pool, {blocks_for(hidden(), kBlock), static_cast<unsigned>(requests.size())},
                  "mpsbench_pool", activations_.pooled, activations_.x, dimensions_.sequence, dimensions_.hidden);
  if (status.ok()) status = synchronise();
  if (!status.ok()) return status;
  // After the stream is done: a copy to pageable memory would spin while it waits, whatever the context's flag says.
  void* host = pooled.data();
  return resources_.checked(Driver::call(driver_->entries().copy_to_host, host, activations_.pooled,
                                         requests.size() * hidden() * sizeof(float)),
                            "cuMemcpyDtoH");
}

Status GpuEncoder::encode_layer(int layer, unsigned rows) {
  const auto& [x, odd, even, wide, seeds, pooled] = activations_;
  Status status = multiply(layer, 0, rows, {.from = x, .to = odd});
  if (status.ok()) status = multiply(layer, 1, rows, {.from = odd, .to = even});
  if (status.ok()) status = multiply(layer, 2, rows, {.from = even, .to = odd});
  if (status.ok()) status = multiply(layer, 3, rows, {.from = odd, .to = x, .residual = x});
  if (status.ok()) status = normalise(rows);
  if (status.ok()) status = multiply(layer, 4, rows, {.from = x, .to = wide, .gelu = 1});
  if (status.ok()) status = multiply(layer, 5, rows, {.from = wide, .to = x, .residual = x});
  if (status.ok()) status = normalise(rows);
  return status;
}

template <class... Arguments>
Status GpuEncoder::launch(cuda::Function kernel, Grid grid, const char* name, Arguments... arguments) {
  void* parameters[] = {static_cast<void*>(&arguments)...};
  const cuda::Code code =
      Driver::call(driver_->entries().launch_kernel, kernel, grid.x, grid.y, 1U, kBlock, 1U, 1U, 0U,
                   resources_.stream(), static_cast<void**>(parameters), static_cast<void**>(nullptr));
  if (code == cuda::kSuccess) return Ok{};
  return resources_.checked(code, (std::string("cuLaunchKernel(") + name + ")").c_str());
}

Status GpuEncoder::fill(DevicePointer to, std::uint64_t count, std::uint64_t key, float scale) {
  const unsigned blocks = std::min(kFillBlocks, blocks_for(count, kBlock));
  return launch(resources_.kernels().fill, {blocks, 1}, "mpsbench_fill", to, count, key, scale);
}

Status GpuEncoder::embed(std::uint64_t requests) {
  const std::uint64_t per_request = sequence() * hidden();
  return launch(resources_.kernels().embed, {blocks_for(per_request, kBlock), static_cast<unsigned>(requests)},
                "mpsbench_embed", activations_.x, activations_.seeds, per_request, layout_.embedding_key(),
                kEmbeddingScale);
}

Status GpuEncoder::multiply(int layer, int number, unsigned rows, const Step& step) {
  const ProductLayout product = layout_.product(layer, number);
  const unsigned across = blocks_for(static_cast<std::uint64_t>(product.columns), kTileColumns);
  const unsigned tall = blocks_for(rows, kTallTileRows);
  // Tall tiles do more arithmetic per byte of shared memory, but only pay once they fill the GPU twice over.
  const bool take_tall = across * tall >= 2 * multiprocessors_;
  const EncoderKernels& kernels = resources_.kernels();
  return launch(take_tall ? kernels.product_128 : kernels.product_64,
                {across, take_tall ? tall : blocks_for(rows, kShortTileRows)},
                take_tall ? "mpsbench_product_128" : "mpsbench_product_64", step.to, step.from,
                model_ + product.weight_offset * sizeof(float), model_ + product.bias_offset * sizeof(float),
                step.residual, product.columns, product.depth, step.gelu);
}

Status GpuEncoder::normalise(unsigned rows) {
  return launch(resources_.kernels().normalise, {rows, 1}, "mpsbench_normalise", activations_.x, dimensions_.hidden);
}

Status GpuEncoder::synchronise() {
  return resources_.checked(Driver::call(driver_->entries().stream_synchronize, resources_.stream()),
                            "cuStreamSynchronize");
}

}  // namespace

Result<CudaEncoder> make_cuda_encoder(const EncoderSpec& spec, const std::optional<std::string>& cuda_path,
                                      const std::optional<std::string>& device_uuid) {
  Result<Driver> opened = Driver::open(cuda_path);
  if (!opened.ok()) return opened.error();
  auto driver = std::make_unique<Driver>(std::move(opened.value()));
  if (const auto failure = driver->initialise()) return driver->error(*failure, "this host");
  std::vector<cuda::VisibleDevice> devices;
  if (const auto failure = driver->list_devices(devices)) return driver->error(*failure, "this host");
  Result<cuda::VisibleDevice> device = cuda::choose_device(devices, device_uuid);
  if (!device.ok()) return device.error();

  CudaEncoder made;
  made.facts = cuda::read_device_facts(*driver, device.value());
  made.weight_bytes = EncoderLayout(spec.dimensions, spec.seed).total_floats() * sizeof(float);
  std::optional<cuda::PrimaryContext> context;
  if (const auto failure = cuda::PrimaryContext::retain(*driver, device.value().handle, context)) {
    return driver->error(*failure, device.value().label);
  }
  made.context_creation_ns = context->creation_ns();
  auto encoder = std::make_unique<GpuEncoder>(spec, std::move(driver), std::move(*context), device.value().label,
                                              made.facts.multiprocessor_count.value_or(kMultiprocessorsIfUnknown));
  Status prepared = encoder->prepare();
  if (!prepared.ok()) return prepared.error();
  made.encoder = std::move(encoder);
  return made;
}

}  // namespace mpsbench
