// Sockets on this machine, for tests.
#pragma once

#include <arpa/inet.h>
#include <glog/logging.h>
#include <sys/socket.h>
#include <unistd.h>

namespace proffer::testing {

inline sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// Bound to that port, or with 0 to one that is free.
inline int BoundSocket(int port, int* bound_port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  sockaddr_in address = Loopback(port);
  socklen_t length = sizeof(address);
  PCHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  PCHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  *bound_port = ntohs(address.sin_port);
  return fd;
}

// A port that nobody had a moment ago.
inline int FreePort() {
  int port = 0;
  close(BoundSocket(0, &port));
  return port;
}

}  // namespace proffer::testing
