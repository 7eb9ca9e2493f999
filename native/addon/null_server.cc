#include "addon/null_server.h"

#include <memory>
#include <utility>

#include "addon/arguments.h"
#include "addon/env_state.h"
#include "addon/errors.h"
#include "load/null_server.h"

namespace mpsbench {
namespace {

constexpr std::int64_t kMostResponseBytes = std::int64_t{1} << 30;
constexpr std::int64_t kMostThreads = 1024;

// A server that its environment stops when it ends.
class OpenNullServer : public Closable {
 public:
  explicit OpenNullServer(std::unique_ptr<NullServer> running) : server(std::move(running)) {}
  void close_at_exit() override { server.reset(); }

  // Gone after stop.
  std::unique_ptr<NullServer> server;
};

Napi::Value start_null_server(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info, "startNullServer");
  const auto response_bytes = static_cast<std::size_t>(arguments.integer("responseBytes", 0, kMostResponseBytes));
  const auto threads = static_cast<std::uint32_t>(arguments.integer("threads", 1, kMostThreads));
  if (arguments.throw_if_bad()) return {};
  auto server = NullServer::start(response_bytes, threads);
  if (!server.ok()) {
    throw_error(env, server.error());
    return {};
  }
  const auto open = std::make_shared<OpenNullServer>(std::move(server.value()));
  EnvState::of(env).add(open);
  Napi::Object object = Napi::Object::New(env);
  object.Set("port", Napi::Number::New(env, open->server->port()));
  object.Set("stop", Napi::Function::New(env, [open](const Napi::CallbackInfo&) { open->server.reset(); }, "stop"));
  return object;
}

}  // namespace

void register_null_server(Napi::Env env, Napi::Object exports) {
  exports.Set("startNullServer", Napi::Function::New(env, start_null_server, "startNullServer"));
}

}  // namespace mpsbench
