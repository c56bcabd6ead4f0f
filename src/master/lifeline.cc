#include "master/lifeline.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "common/base/clock.h"

namespace proffer::master {
namespace {

constexpr int64_t kConnectMs = 2'000;
// As long as the other master cannot be reached, for whatever reason.
constexpr int64_t kRetryMs = 250;
// Between the two attempts that have to be refused.
constexpr int64_t kSecondAttemptMs = 20;
// A connection that lived shorter is not made again at once.
constexpr int64_t kShortLifeMs = 1'000;

// The socket's address; false when it has none.
bool Resolve(const rpc::Address& address, sockaddr_storage* storage, socklen_t* length) {
  if (address.is_unix) {
    auto* un = reinterpret_cast<sockaddr_un*>(storage);
    const std::string path = address.target.substr(std::strlen("unix:"));
    if (path.size() >= sizeof(un->sun_path)) return false;
    un->sun_family = AF_UNIX;
    std::memcpy(un->sun_path, path.c_str(), path.size() + 1);
    *length = sizeof(*un);
    return true;
  }
  const size_t colon = address.target.rfind(':');
  std::string host = address.target.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.target.substr(colon + 1).c_str(), &hints, &found) != 0) {
    return false;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::memcpy(storage, found->ai_addr, found->ai_addrlen);
  *length = found->ai_addrlen;
  return true;
}

}  // namespace

Lifeline::Lifeline(std::vector<rpc::Address> addresses, std::function<void()> died)
    : addresses_(std::move(addresses)),
      died_(std::move(died)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Run(); }) {}

Lifeline::~Lifeline() {
  const uint64_t one = 1;
  PCHECK(write(stop_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  close(stop_);
}

void Lifeline::Run() {
  size_t at = 0;
  bool reached = false;  // By address `at`, which is kept to from then on.
  int refusals = 0;
  while (true) {
    int socket = -1;
    const Attempt attempt = Connect(addresses_[at], &socket);
    if (attempt == Attempt::kConnected) {
      if (!std::exchange(reached, true)) {
        LOG(INFO) << "watching the process that serves " << addresses_[at].target;
      }
      refusals = 0;
      const Time since = BootTimeNow();
      const bool closed = AwaitClose(socket);
      close(socket);
      if (!closed) return;
      if (BootTimeNow() - since < kShortLifeMs && !Pause(kRetryMs)) return;
      continue;
    }
    refusals = attempt == Attempt::kRefused ? refusals + 1 : 0;
    if (reached && refusals == 2) {
      LOG(WARNING) << "nobody listens at " << addresses_[at].target
                   << " any more: the process of that master is dead";
      return died_();
    }
    if (!reached) at = (at + 1) % addresses_.size();
    if (!Pause(reached && refusals == 1 ? kSecondAttemptMs : kRetryMs)) return;
  }
}

Lifeline::Attempt Lifeline::Connect(const rpc::Address& address, int* socket) const {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (!Resolve(address, &storage, &length)) return Attempt::kUnknown;
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Attempt::kUnknown;
  int error = 0;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0) error = errno;
  if (error == EINPROGRESS) {
    pollfd waits[] = {{fd, POLLOUT, 0}, {stop_, POLLIN, 0}};
    poll(waits, 2, kConnectMs);
    socklen_t size = sizeof(error);
    if (waits[0].revents == 0) {
      error = ETIMEDOUT;
    } else {
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) {
    *socket = fd;
    return Attempt::kConnected;
  }
  close(fd);
  return error == ECONNREFUSED || error == ENOENT ? Attempt::kRefused : Attempt::kUnknown;
}

bool Lifeline::AwaitClose(int socket) const {
  while (true) {
    pollfd waits[] = {{socket, POLLIN, 0}, {stop_, POLLIN, 0}};
    poll(waits, 2, -1);
    if (waits[1].revents != 0) return false;
    if (waits[0].revents == 0) continue;
    // A gRPC server greets every connection; that is of no interest.
    char ignored[1024];
    const ssize_t got = recv(socket, ignored, sizeof(ignored), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
  }
}

bool Lifeline::Pause(int64_t ms) const {
  pollfd wait = {stop_, POLLIN, 0};
  poll(&wait, 1, static_cast<int>(ms));
  return wait.revents == 0;
}

}  // namespace proffer::master
