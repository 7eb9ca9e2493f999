#include "bare_client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace mpsbench {
namespace {

constexpr std::size_t kRingRows = std::size_t{1} << 18;

}  // namespace

BareClient::BareClient(const LoadSpec& spec) : spec_(spec), peers_(spec.connections), rows_(kRingRows) {}

Status BareClient::connect_all(int flags) {
  const Endpoint& endpoint = spec_.endpoints.front();
  for (Peer& peer : peers_) {
    peer.fd = UniqueFd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    (void)::setsockopt(peer.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(peer.fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length) != 0 ||
        ::fcntl(peer.fd.get(), F_SETFL, flags) != 0) {
      return Error{"LOAD_FAILED", std::string("connect failed: ") + std::strerror(errno), errno};
    }
  }
  return Ok{};
}

void BareClient::start(Peer& peer) {
  peer.parser.start(false);
  peer.sent_ns = now_ns();
}

bool BareClient::complete(Peer& peer) {
  RequestRecord row;
  last_ns_ = row.end_ns = row.first_byte_ns = now_ns();
  row.intended_ns = row.sent_ns = peer.sent_ns;
  row.request_bytes = spec_.requests.front().body_bytes;
  row.response_bytes = peer.parser.body_bytes();
  row.status = peer.parser.status();
  if (row.sent_ns >= spec_.measurement_start_ns) row.flags = kMeasuredFlag;
  if (!spec_.ok_statuses[row.status] || !peer.parser.keeps_connection()) fail("a reply", row.status);
  if (!rows_.push(row)) fail("room for rows", 0);
  return !over();
}

void BareClient::fail(const char* what, int code) {
  failed_ = true;
  failure_ = {"LOAD_FAILED", std::string(what) + " failed with " + std::to_string(code), code};
}

Status BareClient::ending() const {
  if (failed_) return failure_;
  return Ok{};
}

}  // namespace mpsbench
