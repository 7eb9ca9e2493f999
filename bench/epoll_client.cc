#include "epoll_client.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace mpsbench {

Status EpollClient::run() {
  if (Status connected = connect_all(O_NONBLOCK); !connected.ok()) return connected;
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  for (Peer& peer : peers_) {
    epoll_event watched{};
    watched.events = EPOLLIN | EPOLLET;
    watched.data.ptr = &peer;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, peer.fd.get(), &watched) != 0) fail("epoll_ctl", errno);
    send(peer);
  }
  std::array<epoll_event, 256> events{};
  std::vector<Peer*> freed;
  freed.reserve(peers_.size());
  while (!over()) {
    const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int at = 0; at < count; ++at) {
      auto* peer = static_cast<Peer*>(events[static_cast<std::size_t>(at)].data.ptr);
      if (receive(*peer) && complete(*peer)) freed.push_back(peer);
    }
    for (Peer* peer : freed) send(*peer);
    freed.clear();
  }
  return ending();
}

void EpollClient::send(Peer& peer) {
  start(peer);
  const ssize_t sent = ::send(peer.fd.get(), request().data(), request().size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request().size())) fail("a send", errno);
}

bool EpollClient::receive(Peer& peer) {
  const ssize_t got = ::recv(peer.fd.get(), buffer_.get(), kBufferBytes, 0);
  if (got <= 0) {
    fail("a receive", errno);
    return false;
  }
  const ParseState parsed = peer.parser.feed(buffer_.get(), static_cast<std::size_t>(got));
  if (parsed == ParseState::kBad) fail("a reply", 0);
  return parsed == ParseState::kComplete;
}

}  // namespace mpsbench
