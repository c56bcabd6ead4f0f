#include "common/rpc/acceptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glog/logging.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/rpc/live_streams.h"
#include "grpcpp/security/server_credentials.h"

namespace proffer::rpc {
namespace {

absl::Status ErrnoStatus(absl::string_view what) {
  return absl::ErrnoToStatus(errno, std::string(what));
}

// Makes the directory of a socket ours alone.
absl::Status PrepareDirectory(const std::string& socket_path) {
  const std::string directory = socket_path.substr(0, socket_path.rfind('/'));
  if (directory.empty()) return absl::InvalidArgumentError("a socket may not lie in /");
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(absl::StrCat("make directory ", directory));
  }
  struct stat info;
  if (lstat(directory.c_str(), &info) != 0) return ErrnoStatus(directory);
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(directory,
                     " must be a directory of our own with mode 0700, because whoever "
                     "reaches the socket in it may do anything; chmod 0700 it or choose another"));
  }
  return absl::OkStatus();
}

bool SomebodyServes(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

absl::StatusOr<int> ListenUnix(const std::string& path) {
  RETURN_IF_ERROR(PrepareDirectory(path));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (SomebodyServes(address)) {
    return absl::AlreadyExistsError(
        absl::StrCat("another process serves ", path, "; stop it or listen elsewhere"));
  }
  struct stat info;
  if (lstat(path.c_str(), &info) == 0 && !S_ISSOCK(info.st_mode)) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, " exists and is not a socket; remove it or listen elsewhere"));
  }
  unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ErrnoStatus("socket");
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd, 1024) != 0) {
    const absl::Status status = ErrnoStatus(absl::StrCat("listen on ", path));
    close(fd);
    return status;
  }
  return fd;
}

absl::StatusOr<std::pair<int, std::string>> ListenTcp(const std::string& target) {
  const size_t colon = target.rfind(':');
  std::string host = target.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), target.substr(colon + 1).c_str(), &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(target, ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ErrnoStatus("socket");
  // A restart must not wait for old connections to time out; two servers of one port are still
  // impossible, because SO_REUSEPORT is not set.
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1024) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    const absl::Status status = ErrnoStatus(absl::StrCat("listen on ", target));
    close(fd);
    return status;
  }
  const in_port_t port = bound.ss_family == AF_INET6
                             ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                             : reinterpret_cast<sockaddr_in*>(&bound)->sin_port;
  return std::make_pair(fd, absl::StrCat(target.substr(0, colon), ":", ntohs(port)));
}

// Says in HTTP/2 that it is not the time, and why, to a peer that has not been taken. Whoever
// listens reads it; nobody waits for those who do not.
void Refuse(int fd, const std::string& why) {
  constexpr char kEnhanceYourCalm = 11;
  constexpr size_t kFrameHead = 9;
  std::string frames(kFrameHead, '\0');
  frames[3] = 4;  // SETTINGS, none of them.
  std::string goaway(kFrameHead + 8, '\0');
  const size_t length = 8 + why.size();
  goaway[1] = static_cast<char>(length >> 8);
  goaway[2] = static_cast<char>(length);
  goaway[3] = 7;
  goaway.back() = kEnhanceYourCalm;
  frames += goaway + why;
  (void)!send(fd, frames.data(), frames.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  close(fd);
}

constexpr int kLookEveryMs = 100;
constexpr int kPushMs = 1;  // What a pusher sends is mostly read at once; but not for long.

// Of which unix socket a stream is nobody knows, so whoever opens and resets many there shows only
// in the sum.
bool AreTooManyStreams(ConnectionTable& connections, Time now) {
  const int64_t streams = LiveStream::Count();
  return streams > limits::kStreamsInExcess &&
         streams > limits::kStreamsInExcess +
                       limits::kStreamsOfAPeer * static_cast<int64_t>(connections.CountOpen(now));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const Address& address) {
  RETURN_IF_ERROR(RequireLocal(address));
  Address bound = address;
  int listener = -1;
  if (address.is_unix) {
    ASSIGN_OR_RETURN(listener, ListenUnix(address.target.substr(5)));
  } else {
    ASSIGN_OR_RETURN(auto tcp, ListenTcp(address.target));
    listener = tcp.first;
    bound.target = tcp.second;
  }
  const int wake = eventfd(0, EFD_CLOEXEC);
  if (wake < 0) return ErrnoStatus("eventfd");
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(bound), listener, wake));
}

size_t PlacesForConnections() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur - limit.rlim_cur / 4;
}

absl::StatusOr<Listeners> Listen(const std::vector<Address>& addresses) {
  Listeners listeners;
  for (const Address& address : addresses) {
    ASSIGN_OR_RETURN(std::unique_ptr<Acceptor> acceptor, Acceptor::Listen(address));
    listeners.push_back(std::move(acceptor));
  }
  return listeners;
}

Acceptor::Acceptor(Address address, int listener, int wake)
    : address_(std::move(address)), listener_(listener), wake_(wake) {}

Acceptor::~Acceptor() {
  Stop();
  close(listener_);
  close(wake_);
  if (address_.is_unix) unlink(address_.target.substr(5).c_str());
}

void Acceptor::AttachTo(grpc::ServerBuilder& builder) {
  sink_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
}

void Acceptor::Run(std::shared_ptr<ConnectionTable> connections) {
  thread_ = std::thread([this, connections = std::move(connections)] { AcceptLoop(*connections); });
}

void Acceptor::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  if (write(wake_, &one, sizeof(one)) != sizeof(one)) PLOG(ERROR) << "wake the accept loop";
  thread_.join();
  uint64_t taken = 0;
  if (read(wake_, &taken, sizeof(taken)) != sizeof(taken)) PLOG(ERROR) << "read an eventfd";
  sink_.reset();
}

std::optional<ConnectionTable::Peer> Acceptor::PeerOf(int fd) const {
  if (address_.is_unix) {
    ucred peer{};
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
    if (peer.uid != geteuid() && peer.uid != 0) return std::nullopt;
    return ConnectionTable::Peer{absl::StrCat("process ", peer.pid), ""};
  }
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0 ||
      getnameinfo(reinterpret_cast<const sockaddr*>(&peer), length, host, sizeof(host), port,
                  sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return std::nullopt;  // Gone already.
  }
  // gRPC writes addresses as an URI does.
  const bool is_v4 = peer.ss_family == AF_INET;
  return ConnectionTable::Peer{host, is_v4 ? absl::StrCat("ipv4:", host, ":", port)
                                           : absl::StrCat("ipv6:%5B", host, "%5D:", port)};
}

void Acceptor::AcceptLoop(ConnectionTable& connections) {
  const int highest = static_cast<int>(PlacesForConnections());
  Time looked;
  bool too_many_streams = false;
  while (true) {
    pollfd fds[2] = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
    if (poll(fds, 2, too_many_streams ? kPushMs : kLookEveryMs) < 0 && errno != EINTR)
      PLOG(FATAL) << "poll";
    if (fds[1].revents != 0) return;
    // Here, and not on a thread of gRPC's, all of which are busy then.
    if (const Time now = BootTimeNow(); too_many_streams || now - looked >= kLookEveryMs) {
      looked = now;
      too_many_streams = AreTooManyStreams(connections, now);
      if (too_many_streams) {
        const int pushers = connections.HangUpOnPushers();
        LOG_EVERY_N(WARNING, 1'000)
            << LiveStream::Count() << " streams are open or about to end; hung up on " << pushers
            << " connections that send faster than they are served";
      }
    }
    if (fds[0].revents == 0) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        LOG_EVERY_N(WARNING, 100) << "out of descriptors; new connections wait";
        // Only ended connections help; look again when the poll above has timed out.
        pollfd wake = {wake_, POLLIN, 0};
        poll(&wake, 1, 100);
      }
      continue;
    }
    const std::optional<ConnectionTable::Peer> peer = PeerOf(fd);
    if (!peer) {
      LOG_EVERY_N(WARNING, 100) << "connection refused: another user's";
      close(fd);
      continue;
    }
    std::string why_not;
    if (too_many_streams) {
      why_not = "more streams are about to end than can be ended at once; try again later";
    } else if (fd >= highest) {
      why_not = "out of descriptors; try again later";
    } else {
      why_not = connections.Take(fd, *peer, BootTimeNow());
    }
    if (!why_not.empty()) {
      LOG_EVERY_N(WARNING, 1'000) << "connection of " << peer->name << " refused: " << why_not;
      Refuse(fd, why_not);
      continue;
    }
    // gRPC does it for sockets that it has made itself. Without, small messages wait for the peer
    // to acknowledge the last ones, which it does every 40 ms.
    const int one = 1;
    if (!address_.is_unix) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = -1;
    parameters.fd = fd;
    sink_->HandleNewConnection(&parameters);
  }
}

}  // namespace proffer::rpc
