#include "load/null_server.h"

#include <utility>

namespace mpsbench {

Result<std::unique_ptr<NullServer>> NullServer::start(std::size_t response_bytes, std::uint32_t threads) {
  std::unique_ptr<NullServer> server(new NullServer(response_bytes));
  for (std::uint32_t number = 0; number < threads; ++number) {
    auto loop = std::make_unique<NullServerLoop>(server->replies_, server->stopping_);
    const Result<std::uint16_t> port = loop->listen(server->port_);
    if (!port.ok()) return port.error();
    server->port_ = port.value();
    server->loops_.push_back(std::move(loop));
  }
  for (const auto& loop : server->loops_) {
    Result<Thread> thread = Thread::start([answering = loop.get()] {
      block_signals();
      answering->run();
    });
    if (!thread.ok()) return thread.error();
    server->threads_.push_back(std::move(thread.value()));
  }
  return server;
}

void NullServer::stop() {
  stopping_ = true;
  for (const auto& loop : loops_) loop->wake();
  for (Thread& thread : threads_) thread.join();
  threads_.clear();
  loops_.clear();
}

}  // namespace mpsbench
