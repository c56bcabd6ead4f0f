#include "agent/launcher_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

namespace proffer::agent {
namespace {

using launcher::Type;

isolator::MachineFacts FactsOf(const launcher::Welcome& welcome) {
  isolator::MachineFacts facts;
  facts.root = welcome.root;
  facts.contained = welcome.cgroup_kind != 0;
  facts.why_not = welcome.why_not;
  facts.cgroup_root = welcome.cgroup_root;
  facts.world.kind = static_cast<isolator::CgroupKind>(welcome.cgroup_kind);
  std::vector<std::string> dirs = welcome.cgroup_dirs;
  dirs.resize(6);
  facts.world.cpu = dirs[0];
  facts.world.cpuacct = dirs[1];
  facts.world.memory = dirs[2];
  facts.world.pids = dirs[3];
  facts.world.freezer = dirs[4];
  facts.world.unified = dirs[5];
  return facts;
}

}  // namespace

LauncherLink::~LauncherLink() { Disconnect(); }

bool LauncherLink::Connect() {
  if (fd_ >= 0) return true;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof(address.sun_path)) return false;
  memcpy(address.sun_path, socket_.c_str(), socket_.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(fd);
    return false;
  }
  fd_ = fd;
  return true;
}

void LauncherLink::Disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  welcomed_ = false;
  input_.clear();
  for (const Frame& frame : output_) {
    if (frame.descriptor >= 0) close(frame.descriptor);
  }
  output_.clear();
}

uint64_t LauncherLink::Say(Type type, std::string body, int descriptor) {
  output_.push_back({launcher::EncodeFrame(type, body), descriptor});
  Flush();
  return last_request_;
}

uint64_t LauncherLink::Launch(const isolator::LaunchPlan& plan, int connection) {
  return Say(Type::kLaunch, launcher::EncodeLaunch(++last_request_, plan), connection);
}

uint64_t LauncherLink::Destroy(const std::string& container) {
  return Say(Type::kDestroy, launcher::EncodeRequest(++last_request_, container), -1);
}

uint64_t LauncherLink::ListContainers() {
  return Say(Type::kListContainers, launcher::EncodeRequest(++last_request_, ""), -1);
}

uint64_t LauncherLink::DeleteSandbox(const std::string& path) {
  return Say(Type::kDeleteSandbox, launcher::EncodeRequest(++last_request_, path), -1);
}

bool LauncherLink::Flush() {
  size_t done = 0;
  bool alive = fd_ >= 0;
  while (alive && done < output_.size()) {
    Frame& frame = output_[done];
    iovec part = {frame.bytes.data(), frame.bytes.size()};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    if (frame.descriptor >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof(control);
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      memcpy(CMSG_DATA(header), &frame.descriptor, sizeof(int));
    }
    const ssize_t sent = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      alive = errno == EAGAIN;
      break;
    }
    // The descriptor goes with the first byte.
    if (frame.descriptor >= 0) close(std::exchange(frame.descriptor, -1));
    frame.bytes.erase(0, static_cast<size_t>(sent));
    if (frame.bytes.empty()) ++done;
  }
  output_.erase(output_.begin(), output_.begin() + static_cast<ptrdiff_t>(done));
  return alive;
}

bool LauncherLink::Serve(std::vector<Answer>* answers) {
  if (!Flush()) return false;
  char buffer[16 * 1024];
  bool ended = false;
  for (;;) {
    const ssize_t got = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got > 0) {
      input_.append(buffer, static_cast<size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    ended = got == 0 || errno != EAGAIN;
    break;
  }
  launcher::Frame frame;
  launcher::Parsed parsed;
  while ((parsed = launcher::TakeFrame(&input_, &frame)) == launcher::Parsed::kFrame) {
    Answer answer;
    answer.type = frame.type;
    bool read = true;
    if (frame.type == Type::kWelcome) {
      launcher::Welcome welcome;
      read = launcher::DecodeWelcome(frame.body, &welcome);
      facts_ = FactsOf(welcome);
      welcomed_ = read;
    } else if (frame.type == Type::kContainers) {
      read = launcher::DecodeTexts(frame.body, &answer.request, &answer.containers);
    } else if (frame.type == Type::kRefused || frame.type == Type::kDone) {
      read = launcher::DecodeRequest(frame.body, &answer.request, &answer.text);
    } else {
      continue;  // A newer launcher's; it knows that this agent ignores it.
    }
    if (!read) return false;
    answers->push_back(std::move(answer));
  }
  return !ended && parsed != launcher::Parsed::kBroken;
}

}  // namespace proffer::agent
