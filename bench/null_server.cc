// The null server as a program of its own, for peers of the load engines.
// Usage: null_server [RESPONSE_BODY_BYTES]; prints its port on 127.0.0.1 and answers until it is killed.
#include "load/null_server.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int count, char** values) {
  const std::size_t response_bytes = count > 1 ? std::strtoull(values[1], nullptr, 10) : 2;
  const auto server = mpsbench::NullServer::start(response_bytes, 1);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.error().detail.c_str());
    return 1;
  }
  std::printf("%d\n", server.value()->port());
  std::fflush(stdout);
  for (;;) ::pause();
}
