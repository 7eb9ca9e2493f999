#include "addon/load_arguments.h"

#include <netdb.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/affinity.h"

namespace mpsbench {
namespace {

// A numeric IPv4 or IPv6 address, or the path of a local socket.
std::optional<Endpoint> endpoint_of(const std::string& text, const std::string& port) {
  Endpoint endpoint;
  if (text.starts_with('/')) {
    auto* local = reinterpret_cast<sockaddr_un*>(&endpoint.address);
    if (text.size() >= sizeof local->sun_path) return std::nullopt;
    local->sun_family = AF_UNIX;
    std::memcpy(local->sun_path, text.c_str(), text.size() + 1);
    endpoint.length = sizeof *local;
    return endpoint;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(text.c_str(), port.c_str(), &hints, &found) != 0) return std::nullopt;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.length = found->ai_addrlen;
  ::freeaddrinfo(found);
  return endpoint;
}

}  // namespace

// Where there are several servers, two numbers an address say which of them it belongs to, in order, and its port.
bool read_servers(Arguments& arguments, LoadSpec& spec) {
  const std::int64_t port = arguments.integer("port", 0, 65535);
  const std::vector<std::string> addresses = arguments.strings("addresses");
  const auto places = arguments.optional_whole_numbers("servers");
  if (places && places->size() != 2 * addresses.size()) return false;
  for (std::size_t index = 0; index < addresses.size(); ++index) {
    const std::size_t server = places ? static_cast<std::size_t>(places->at(2 * index)) : 0;
    const std::int64_t own_port = places ? places->at(2 * index + 1) : port;
    const auto endpoint = endpoint_of(addresses[index], std::to_string(own_port));
    if (!endpoint || own_port > 65535 || server > spec.servers.size()) return false;
    if (server == spec.servers.size()) spec.servers.emplace_back();
    spec.servers[server].push_back(*endpoint);
  }
  return true;
}

bool read_requests(Arguments& arguments, LoadSpec& spec) {
  std::vector<std::string> heads = arguments.byte_strings("heads");
  const std::vector<std::string> bodies = arguments.byte_strings("bodies");
  if (heads.size() != bodies.size() || spec.servers.empty() || heads.size() % spec.servers.size() != 0) return false;
  for (std::size_t index = 0; index < heads.size(); ++index) {
    spec.requests.push_back({std::move(heads[index]) + bodies[index], bodies[index].size()});
  }
  return true;
}

// Five numbers a field: body, offset in it, width, kind, first draw.
bool read_fields(Arguments& arguments, LoadSpec& spec) {
  constexpr std::size_t kColumns = 5;
  const std::vector<std::int64_t> numbers = arguments.whole_numbers("fields");
  for (std::size_t at = 0; at + kColumns <= numbers.size(); at += kColumns) {
    const auto body = static_cast<std::size_t>(numbers[at]);
    if (body >= spec.requests.size() || numbers[at + 3] >= static_cast<int>(TemplateField::Kind::kCount)) return false;
    PreparedRequest& request = spec.requests[body];
    const std::size_t head_bytes = request.bytes.size() - static_cast<std::size_t>(request.body_bytes);
    const auto offset = static_cast<std::size_t>(numbers[at + 1]);
    const auto width = static_cast<std::size_t>(numbers[at + 2]);
    if (offset + width > request.body_bytes || numbers[at + 4] > static_cast<std::int64_t>(kDrawsPerRequest)) {
      return false;
    }
    const auto kind = static_cast<TemplateField::Kind>(numbers[at + 3]);
    if (kind == TemplateField::Kind::kUuid && width != kUuidWidth) return false;
    request.fields.push_back(
        {head_bytes + offset, static_cast<std::uint32_t>(width), kind, static_cast<std::uint32_t>(numbers[at + 4])});
  }
  return numbers.size() % kColumns == 0;
}

// First number and step; left out by a run that is no share of another.
void read_numbering(Arguments& arguments, LoadSpec& spec) {
  const auto numbering = arguments.optional_whole_numbers("numbering");
  if (!numbering || numbering->size() != 2) return;
  spec.first_number = static_cast<std::uint64_t>((*numbering)[0]);
  spec.number_step = static_cast<std::uint64_t>((*numbering)[1]);
}

void read_shape(Arguments& arguments, LoadSpec& spec, std::int64_t origin_ns) {
  read_numbering(arguments, spec);
  spec.payload_stream = static_cast<std::uint64_t>(arguments.bigint("payloadStream"));
  spec.template_stream = static_cast<std::uint64_t>(arguments.bigint("templateStream"));
  spec.head = arguments.boolean("head");
  spec.close_each = arguments.boolean("closeEach");
  for (const std::uint32_t status : arguments.indices("okStatuses", kStatusLimit - 1)) spec.ok_statuses[status] = true;
  spec.connections = static_cast<std::uint32_t>(arguments.integer("connections", 1, 1'000'000));
  spec.threads = static_cast<std::uint32_t>(arguments.integer("threads", 1, spec.connections));
  spec.cpus = arguments.nullable_indices("cpus", kMostCpus - 1);
  if (auto offsets = arguments.nullable_offsets("scheduleNs")) {
    spec.open_loop = true;
    spec.schedule = std::move(*offsets);
    for (std::int64_t& due_ns : spec.schedule) due_ns += origin_ns;
  }
  spec.measurement_start_ns = origin_ns + arguments.integer("measurementStartNs", 0, kMaxSafeInteger);
  if (const auto deadline_ns = arguments.nullable_integer("deadlineNs", 0, kMaxSafeInteger)) {
    spec.deadline_ns = origin_ns + *deadline_ns;
  }
  spec.measured_requests = arguments.nullable_integer("requests", 1, kMaxSafeInteger).value_or(kNever);
  spec.timeout_ns = arguments.integer("timeoutNs", 1, kMaxSafeInteger);
}

}  // namespace mpsbench
