#include "addon/encoder.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "addon/arguments.h"
#include "addon/errors.h"
#include "addon/nullable.h"
#include "workload/cpu_encoder.h"
#include "workload/cuda_encoder.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kMaxSafeInteger = (std::int64_t{1} << 53) - 1;

struct EncoderOptions {
  EncoderSpec spec;
  bool cuda = false;
  std::optional<std::string> cuda_path;
  std::optional<std::string> device_uuid;
};

// A model as both backends give it.
struct OpenEncoder {
  std::unique_ptr<Encoder> encoder;
  bool cuda = false;
  std::size_t weight_bytes = 0;
  cuda::DeviceFacts facts;
  std::optional<std::int64_t> context_creation_ns;
};

// What run and close share. The functions of one object own it, so that it lives as long as either can be called, and
// goes with the environment at the latest.
struct EncoderState {
  std::unique_ptr<Encoder> encoder;
  std::size_t hidden = 0;
  std::size_t max_batch_size = 0;
};

std::optional<EncoderOptions> read_options(const Napi::CallbackInfo& info) {
  Arguments arguments(info, "createEncoder");
  const std::string backend = arguments.string("backend");
  EncoderOptions options;
  EncoderDimensions& dimensions = options.spec.dimensions;
  dimensions.layers = static_cast<int>(arguments.integer("layers", 1, 64));
  dimensions.hidden = static_cast<int>(arguments.integer("hidden", 16, 4096));
  dimensions.feed_forward = static_cast<int>(arguments.integer("feedForward", 16, 16384));
  dimensions.sequence = static_cast<int>(arguments.integer("sequence", 1, 512));
  options.spec.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0, kMaxSafeInteger));
  options.spec.max_batch_size = static_cast<int>(arguments.integer("maxBatchSize", 1, 4096));
  options.cuda_path = arguments.nullable_string("cudaPath");
  options.device_uuid = arguments.nullable_string("deviceUuid");
  if (arguments.throw_if_bad()) return std::nullopt;
  options.cuda = backend == "cuda";
  if (!options.cuda && backend != "cpu") {
    throw_argument_error(info.Env(), "createEncoder: backend must be 'cpu' or 'cuda'");
    return std::nullopt;
  }
  if (dimensions.hidden % 16 != 0 || dimensions.feed_forward % 16 != 0) {
    throw_argument_error(info.Env(), "createEncoder: hidden and feedForward must be multiples of 16");
    return std::nullopt;
  }
  return options;
}

Result<OpenEncoder> open_encoder(const EncoderOptions& options) {
  OpenEncoder opened;
  opened.cuda = options.cuda;
  if (!options.cuda) {
    CpuEncoder made = make_cpu_encoder(options.spec);
    opened.encoder = std::move(made.encoder);
    opened.weight_bytes = made.weight_bytes;
    return opened;
  }
  Result<CudaEncoder> made = make_cuda_encoder(options.spec, options.cuda_path, options.device_uuid);
  if (!made.ok()) return made.error();
  opened.encoder = std::move(made.value().encoder);
  opened.weight_bytes = made.value().weight_bytes;
  opened.facts = std::move(made.value().facts);
  opened.context_creation_ns = made.value().context_creation_ns;
  return opened;
}

Napi::Object facts_of(Napi::Env env, const OpenEncoder& opened) {
  Napi::Object facts = Napi::Object::New(env);
  facts.Set("backend", Napi::String::New(env, opened.cuda ? "cuda" : "cpu"));
  facts.Set("weightBytes", Napi::Number::New(env, static_cast<double>(opened.weight_bytes)));
  facts.Set("deviceUuid", nullable(env, opened.facts.uuid));
  facts.Set("multiprocessorCount", nullable(env, opened.facts.multiprocessor_count));
  facts.Set("mpsEnabled", nullable(env, opened.facts.mps_enabled));
  facts.Set("contextCreationNs", nullable(env, opened.context_creation_ns));
  return facts;
}

Napi::Value run(const Napi::CallbackInfo& info, EncoderState& state) {
  const Napi::Env env = info.Env();
  if (!state.encoder) {
    throw_error(env, {"ENCODER_CLOSED", "run was called on an encoder after close; create another one", 0});
    return env.Undefined();
  }
  const bool is_bigints =
      info[0].IsTypedArray() && info[0].As<Napi::TypedArray>().TypedArrayType() == napi_biguint64_array;
  const std::size_t requests = is_bigints ? info[0].As<Napi::TypedArray>().ElementLength() : 0;
  if (requests < 1 || requests > state.max_batch_size) {
    throw_argument_error(
        env, "run: inputs must be a BigUint64Array of 1 to " + std::to_string(state.max_batch_size) + " seeds");
    return env.Undefined();
  }
  const Napi::BigUint64Array inputs = info[0].As<Napi::BigUint64Array>();
  Napi::Float32Array pooled = Napi::Float32Array::New(env, requests * state.hidden);
  const Status status = state.encoder->run({inputs.Data(), requests}, {pooled.Data(), pooled.ElementLength()});
  if (!status.ok()) {
    throw_error(env, status.error());
    return env.Undefined();
  }
  return pooled;
}

Napi::Value create_encoder(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<EncoderOptions> options = read_options(info);
  if (!options) return env.Undefined();
  Result<OpenEncoder> opened = open_encoder(*options);
  if (!opened.ok()) {
    throw_error(env, opened.error());
    return env.Undefined();
  }
  auto state = std::make_shared<EncoderState>();
  state->encoder = std::move(opened.value().encoder);
  state->hidden = static_cast<std::size_t>(options->spec.dimensions.hidden);
  state->max_batch_size = static_cast<std::size_t>(options->spec.max_batch_size);
  Napi::Object object = Napi::Object::New(env);
  object.Set("facts", facts_of(env, opened.value()));
  object.Set("run",
             Napi::Function::New(env, [state](const Napi::CallbackInfo& call) { return run(call, *state); }, "run"));
  object.Set("close",
             Napi::Function::New(env, [state](const Napi::CallbackInfo&) { state->encoder.reset(); }, "close"));
  return object;
}

}  // namespace

void register_encoder(Napi::Env env, Napi::Object exports) {
  exports.Set("createEncoder", Napi::Function::New(env, create_encoder, "createEncoder"));
}

}  // namespace mpsbench
