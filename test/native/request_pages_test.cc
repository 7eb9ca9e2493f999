// Long requests in pages: what is kept of them, and that the server gets the bytes of each.
#include "load/request_pages.h"

#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "check.h"
#include "load/engine.h"

namespace mpsbench {
namespace {

using test::Check;

// No two stretches of it are alike.
std::string patterned(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : text) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return text;
}

std::vector<PreparedRequest> requests_of(const std::vector<std::size_t>& body_sizes) {
  std::vector<PreparedRequest> requests;
  for (const std::size_t size : body_sizes) {
    PreparedRequest request;
    request.body_bytes = size;
    request.bytes = "POST /" + std::to_string(requests.size()) + " HTTP/1.1\r\n\r\n" + patterned(size);
    requests.push_back(std::move(request));
  }
  return requests;
}

std::string read_at(PagePlace place, std::size_t size) {
  std::string bytes(size, '\0');
  const ssize_t got = ::pread(place.file, bytes.data(), size, place.offset);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

void long_requests_are_kept_byte_for_byte(Check& check) {
  const auto requests = requests_of({100'000, 12, 16'384, 0, 5'000'001});
  const RequestPages pages(requests);
  for (std::size_t index = 0; index < requests.size(); ++index) {
    const PagePlace place = pages.of(index);
    const std::string& bytes = requests[index].bytes;
    CHECK_THAT(check, (place.file >= 0) == (bytes.size() >= 16'384));
    if (place.file >= 0) CHECK_THAT(check, read_at(place, bytes.size()) == bytes);
  }
}

void what_would_take_too_much_memory_is_left_out(Check& check) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  const RequestPages pages(requests_of({40 * kMiB, 40 * kMiB, 20 * kMiB}));
  CHECK_THAT(check, pages.of(0).file >= 0);
  CHECK_THAT(check, pages.of(1).file < 0);
  CHECK_THAT(check, pages.of(2).file >= 0);
}

void a_template_has_no_place_since_it_is_never_twice_the_same(Check& check) {
  auto requests = requests_of({100'000, 100'000});
  requests[0].fields.push_back({100, 8, TemplateField::Kind::kCounter, 0});
  const RequestPages pages(requests);
  CHECK_THAT(check, pages.of(0).file < 0);
  CHECK_THAT(check, pages.of(1).file >= 0);
}

// One connection at a time, read through a window that is much smaller than a request. Thread: its own.
class Comparer {
 public:
  Comparer(int family, const std::vector<PreparedRequest>& expected)
      : expected_(expected), listener_(::socket(family, SOCK_STREAM, 0)) {
    endpoint_.address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) {
      reinterpret_cast<sockaddr_in*>(&endpoint_.address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      endpoint_.length = sizeof(sockaddr_in);
    } else {
      // No name but one of the kernel's choice, so that nothing is left behind.
      endpoint_.length = sizeof(sa_family_t);
    }
    auto* any = reinterpret_cast<sockaddr*>(&endpoint_.address);
    const int window = 8192;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    if (::bind(listener_.get(), any, endpoint_.length) != 0 || ::listen(listener_.get(), 4) != 0) std::abort();
    endpoint_.length = sizeof endpoint_.address;
    ::getsockname(listener_.get(), any, &endpoint_.length);
    thread_ = std::jthread([this] { serve(); });
  }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  // After the client has closed.
  int equal() {
    thread_.join();
    return equal_;
  }

 private:
  void serve() {
    const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
    std::string got;
    std::array<char, 4000> buffer{};
    for (;;) {
      const ssize_t count = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) return;
      got.append(buffer.data(), static_cast<std::size_t>(count));
      const std::string& wanted = expected_[got.size() > 6 && got[6] == '1' ? 1 : 0].bytes;
      if (got.size() < wanted.size()) continue;
      equal_ += got == wanted ? 1 : 0;
      got.clear();
      constexpr std::string_view kReply = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
      (void)!::send(client.get(), kReply.data(), kReply.size(), MSG_NOSIGNAL);
    }
  }

  const std::vector<PreparedRequest>& expected_;
  UniqueFd listener_;
  Endpoint endpoint_;
  int equal_ = 0;
  std::jthread thread_;
};

void a_slow_server_gets_every_byte(Check& check) {
  for (const int family : {AF_INET, AF_UNIX}) {
    const auto requests = requests_of({300'000, 70'001});
    Comparer server(family, requests);
    LoadSpec spec;
    spec.servers = {{server.endpoint()}};
    spec.requests = requests;
    for (std::size_t status = 200; status < 300; ++status) spec.ok_statuses[status] = true;
    spec.measured_requests = 12;
    spec.timeout_ns = 30'000'000'000;
    std::atomic<bool> done{false};
    const auto engine = LoadEngine::start(std::move(spec), [&done] { done = true; });
    while (!done.load()) std::this_thread::yield();
    std::vector<RequestRecord> rows;
    engine.value()->drain(rows, SIZE_MAX);
    CHECK_THAT(check, rows.size() == 12);
    for (const RequestRecord& row : rows) CHECK_THAT(check, row.outcome == Outcome::kOk);
    CHECK_THAT(check, server.equal() == 12);
  }
}

constexpr test::Case kCases[] = {
    {"long requests are kept byte for byte, and short ones are not", long_requests_are_kept_byte_for_byte},
    {"what would take too much memory is left out", what_would_take_too_much_memory_is_left_out},
    {"a template has no place", a_template_has_no_place_since_it_is_never_twice_the_same},
    {"a server that reads slowly gets every byte of each long request", a_slow_server_gets_every_byte},
};

}  // namespace
}  // namespace mpsbench

int main() { return mpsbench::test::run_cases(mpsbench::kCases); }
