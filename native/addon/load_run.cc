#include "addon/load_run.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "addon/arguments.h"
#include "addon/callback_signal.h"
#include "addon/columns.h"
#include "addon/env_state.h"
#include "addon/errors.h"
#include "addon/load_arguments.h"
#include "load/engine.h"

namespace mpsbench {
namespace {

constexpr std::size_t kBatchRows = 16384;

// A run that its environment ends when it ends. The methods are closures over it.
class OpenLoad : public Closable {
 public:
  explicit OpenLoad(std::int64_t run_origin_ns) : origin_ns(run_origin_ns) {}
  void close_at_exit() override { engine.reset(); }

  const std::int64_t origin_ns;
  // Gone after close.
  std::unique_ptr<LoadEngine> engine;
  // Reused, so that it grows once.
  std::vector<RequestRecord> rows;
  Napi::ObjectReference batch;
  // Of each worker, how many excerpts were handed over.
  std::vector<std::size_t> excerpts_taken;
};

Napi::Array new_excerpts(Napi::Env env, OpenLoad& open) {
  Napi::Array made = Napi::Array::New(env);
  const auto& workers = open.engine->workers();
  open.excerpts_taken.resize(workers.size());
  for (std::size_t number = 0; number < workers.size(); ++number) {
    const Excerpts& excerpts = workers[number]->excerpts();
    for (std::size_t& taken = open.excerpts_taken[number]; taken < excerpts.count(); ++taken) {
      const Excerpt& excerpt = excerpts.at(taken);
      Napi::Object one = Napi::Object::New(env);
      one.Set("status", Napi::Number::New(env, excerpt.status));
      const auto text = Napi::Buffer<char>::Copy(env, excerpt.text.data(), excerpt.length);
      one.Set("bytes", text);
      made.Set(made.Length(), one);
    }
  }
  return made;
}

// Columns that every take() fills anew: a run hands over megabytes a second, which would keep the garbage collector
// busy on the cores that are measured.
Napi::Object make_batch(Napi::Env env) {
  Napi::Object batch = Napi::Object::New(env);
  for (const char* name : {"intendedNs", "sentNs", "firstByteNs", "endNs", "requestBytes", "responseBytes"}) {
    batch.Set(name, Napi::Float64Array::New(env, kBatchRows));
  }
  for (const char* name : {"number", "connection"}) batch.Set(name, Napi::Uint32Array::New(env, kBatchRows));
  batch.Set("cause", Napi::Int32Array::New(env, kBatchRows));
  batch.Set("status", Napi::Uint16Array::New(env, kBatchRows));
  batch.Set("outcome", Napi::Uint8Array::New(env, kBatchRows));
  batch.Set("flags", Napi::Uint8Array::New(env, kBatchRows));
  return batch;
}

template <class Element, class Pick>
void fill(const Napi::Object& batch, const char* name, std::size_t count, Pick pick) {
  fill_column(batch.Get(name).As<Napi::TypedArrayOf<Element>>(), count, pick);
}

void fill_batch(const Napi::Object& batch, const std::vector<RequestRecord>& rows, std::int64_t origin_ns) {
  const std::size_t count = rows.size();
  const auto offset = [origin_ns](std::int64_t time_ns) { return static_cast<double>(time_ns - origin_ns); };
  const auto known = [&offset](std::int64_t time_ns) {
    return time_ns < 0 ? std::numeric_limits<double>::quiet_NaN() : offset(time_ns);
  };
  fill<double>(batch, "intendedNs", count, [&](std::size_t row) { return offset(rows[row].intended_ns); });
  fill<double>(batch, "sentNs", count, [&](std::size_t row) { return known(rows[row].sent_ns); });
  fill<double>(batch, "firstByteNs", count, [&](std::size_t row) { return known(rows[row].first_byte_ns); });
  fill<double>(batch, "endNs", count, [&](std::size_t row) { return offset(rows[row].end_ns); });
  fill<double>(batch, "requestBytes", count, [&](std::size_t row) { return rows[row].request_bytes; });
  fill<double>(batch, "responseBytes", count, [&](std::size_t row) { return rows[row].response_bytes; });
  fill<std::uint32_t>(batch, "number", count, [&](std::size_t row) { return rows[row].number; });
  fill<std::uint32_t>(batch, "connection", count, [&](std::size_t row) { return rows[row].connection; });
  fill<std::int32_t>(batch, "cause", count, [&](std::size_t row) { return rows[row].cause; });
  fill<std::uint16_t>(batch, "status", count, [&](std::size_t row) { return rows[row].status; });
  fill<std::uint8_t>(batch, "outcome", count, [&](std::size_t row) { return rows[row].outcome; });
  fill<std::uint8_t>(batch, "flags", count, [&](std::size_t row) { return rows[row].flags; });
}

bool throw_if_closed(Napi::Env env, const OpenLoad& open) {
  if (open.engine) return false;
  throw_error(env, {"LOAD_CLOSED", "a load run was used after close; start another one", 0});
  return true;
}

Napi::Value take(const Napi::CallbackInfo& info, OpenLoad& open) {
  const Napi::Env env = info.Env();
  if (throw_if_closed(env, open)) return {};
  open.rows.clear();
  open.engine->drain(open.rows, kBatchRows);
  // Read after the rows: whatever they imply has been published by now.
  const std::int64_t issuing_end_ns = open.engine->issuing_end_ns();
  if (open.batch.IsEmpty()) open.batch = Napi::Persistent(make_batch(env));
  Napi::Object batch = open.batch.Value();
  fill_batch(batch, open.rows, open.origin_ns);
  batch.Set("count", Napi::Number::New(env, static_cast<double>(open.rows.size())));
  batch.Set("more", Napi::Boolean::New(env, open.rows.size() == kBatchRows));
  batch.Set("connections", Napi::Number::New(env, static_cast<double>(open.engine->connections_made())));
  batch.Set("outstanding", Napi::Number::New(env, static_cast<double>(open.engine->outstanding())));
  batch.Set("issuingEndNs", issuing_end_ns == kNever ? env.Null()
                                                     : Napi::Value(Napi::Number::New(
                                                           env, static_cast<double>(issuing_end_ns - open.origin_ns))));
  batch.Set("excerpts", new_excerpts(env, open));
  return batch;
}

Napi::Value health(const Napi::CallbackInfo& info, OpenLoad& open) {
  const Napi::Env env = info.Env();
  if (throw_if_closed(env, open)) return {};
  // Ends the threads, if they have not ended, since their lag is theirs until then.
  open.engine->close();
  const LagHistogram lag = open.engine->lag();
  Napi::Object made = Napi::Object::New(env);
  made.Set("outstandingMax", Napi::Number::New(env, static_cast<double>(open.engine->outstanding_max())));
  const auto nullable = [&](std::uint64_t value) {
    return lag.total() == 0 ? env.Null() : Napi::Value(Napi::Number::New(env, static_cast<double>(value)));
  };
  made.Set("lagP99Ns", nullable(lag.quantile_ns(0.99)));
  made.Set("lagMaxNs", nullable(lag.most_ns()));
  return made;
}

// Nothing falls due twice or in both phases: the threads learn of the moment before it comes.
Napi::Value begin_measurement(const Napi::CallbackInfo& info, OpenLoad& open) {
  const Napi::Env env = info.Env();
  if (throw_if_closed(env, open)) return {};
  Arguments arguments(info, "beginMeasurement");
  MeasurementWindow window;
  window.start_ns = open.origin_ns + arguments.integer("measurementStartNs", 0, kMaxSafeInteger);
  if (const auto deadline_ns = arguments.nullable_integer("deadlineNs", 0, kMaxSafeInteger)) {
    window.deadline_ns = open.origin_ns + *deadline_ns;
  }
  if (const auto length = arguments.nullable_integer("scheduleLength", 0, kMaxSafeInteger)) {
    window.schedule_length = static_cast<std::size_t>(*length);
  }
  if (arguments.throw_if_bad()) return {};
  open.engine->begin_measurement(window);
  return env.Undefined();
}

Napi::Object run_object(Napi::Env env, const std::shared_ptr<OpenLoad>& open) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("take",
             Napi::Function::New(env, [open](const Napi::CallbackInfo& info) { return take(info, *open); }, "take"));
  object.Set("health", Napi::Function::New(
                           env, [open](const Napi::CallbackInfo& info) { return health(info, *open); }, "health"));
  object.Set(
      "beginMeasurement",
      Napi::Function::New(
          env, [open](const Napi::CallbackInfo& info) { return begin_measurement(info, *open); }, "beginMeasurement"));
  object.Set("stop", Napi::Function::New(
                         env,
                         [open](const Napi::CallbackInfo&) {
                           if (open->engine) open->engine->stop();
                         },
                         "stop"));
  object.Set("close", Napi::Function::New(env, [open](const Napi::CallbackInfo&) { open->engine.reset(); }, "close"));
  return object;
}

Napi::Value start_load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, "startLoad");
  LoadSpec spec;
  const std::int64_t origin_ns = arguments.instant_ns("originNs");
  const bool servers = read_servers(arguments, spec);
  const bool requests = read_requests(arguments, spec);
  const bool fields = requests && read_fields(arguments, spec);
  read_shape(arguments, spec, origin_ns);
  const Napi::Function on_done = arguments.function("onDone");
  if (arguments.throw_if_bad()) return {};
  if (!servers || !fields) {
    throw_argument_error(env, !servers    ? "startLoad: addresses must be numeric, or paths of local sockets"
                              : !requests ? "startLoad: heads and bodies must be as many, and as many for each server"
                                          : "startLoad: fields must lie inside their bodies");
    return {};
  }
  const auto open = std::make_shared<OpenLoad>(origin_ns);
  const auto done = CallbackSignal::create(env, on_done, "mpsbench load");
  auto engine = LoadEngine::start(std::move(spec), [done] { done->fire(); });
  if (!engine.ok()) {
    done->cancel();
    throw_error(env, engine.error());
    return {};
  }
  open->engine = std::move(engine.value());
  EnvState::of(env).add(open);
  return run_object(env, open);
}

Napi::Array fault_texts(Napi::Env env) {
  Napi::Array texts = Napi::Array::New(env);
  for (std::uint32_t fault = 0; fault < static_cast<std::uint32_t>(ParseFault::kCount); ++fault) {
    texts.Set(fault, Napi::String::New(env, fault_text(static_cast<ParseFault>(fault))));
  }
  return texts;
}

}  // namespace

void register_load_run(Napi::Env env, Napi::Object exports) {
  exports.Set("startLoad", Napi::Function::New(env, start_load, "startLoad"));
  exports.Set("loadFaults", fault_texts(env));
}

}  // namespace mpsbench
