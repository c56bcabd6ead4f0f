#include "launcher/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "isolator/cgroup/group.h"
#include "isolator/filesystem/delete_tree.h"
#include "isolator/filesystem/directory.h"
#include "isolator/filesystem/mounts.h"
#include "isolator/process/privileges.h"
#include "launcher/failpoint.h"
#include "launcher/policy.h"

namespace proffer::launcher {
namespace {

// How long the processes of a container may take to die once they are killed: those that wait for a
// disk or a server that is gone may take for ever.
constexpr int kDieMs = 11'000;
constexpr size_t kMostDescriptors = 64;
// Where a launcher mounts the /dev of containers, each in a mount namespace of its own. In a
// directory of root's: whoever could replace it would choose what containers find there.
constexpr char kDevices[] = "/run/proffer-devices";

std::string Why(const std::string& what) { return what + ": " + strerror(errno); }

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

Launcher::Launcher(Config config, char* title, size_t title_bytes)
    : config_(std::move(config)), title_(title), title_bytes_(title_bytes) {}

std::string Launcher::Start() {
  // Nobody waits for shims: the kernel forgets them when they end.
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  context_.agent_uid = config_.agent_uid;
  context_.cgroup_root = config_.cgroup_root;
  context_.bounding = isolator::kEveryCapability;
  DetectIsolation();
  // What tasks may never have is given up here, once for all of them. What this process itself
  // holds stays: it executes nothing but tasks.
  if (welcome_.root &&
      isolator::LimitCapabilities(config_.capabilities, isolator::kEveryCapability) == 0) {
    context_.bounding = config_.capabilities;
  }
  return Listen();
}

std::string Launcher::Clean() {
  if (config_.posix_only || geteuid() != 0) return "";
  const isolator::CgroupWorld world = isolator::DetectCgroupWorld(config_.use_unified);
  isolator::Kernel& kernel = isolator::RealKernel();
  std::string left;
  for (const std::string& name : isolator::ListGroups(kernel, world, config_.cgroup_root)) {
    const std::string why =
        isolator::CgroupGroup(kernel, world, config_.cgroup_root + "/" + name).Destroy(kDieMs);
    if (!why.empty()) left += (left.empty() ? "" : "; ") + why;
  }
  const std::string why = isolator::CgroupGroup(kernel, world, config_.cgroup_root).Remove();
  return left.empty() ? why : left;
}

void Launcher::DetectIsolation() {
  welcome_.root = geteuid() == 0;
  welcome_.cgroup_root = config_.cgroup_root;
  if (config_.posix_only) {
    welcome_.why_not = "the launcher is configured so (isolation = posix)";
    return;
  }
  if (!welcome_.root) {
    welcome_.why_not = "the launcher does not run as root";
    return;
  }
  isolator::CgroupWorld world = isolator::DetectCgroupWorld(config_.use_unified);
  welcome_.why_not = world.why_none;
  if (welcome_.why_not.empty()) {
    welcome_.why_not =
        isolator::PrepareCgroupRoot(isolator::RealKernel(), world, config_.cgroup_root);
  }
  // Mounts of our own, which containers get copies of and the machine does not see.
  if (welcome_.why_not.empty() && (unshare(CLONE_NEWNS) != 0 ||
                                   mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)) {
    welcome_.why_not = Why("no mount namespace could be made");
  }
  if (welcome_.why_not.empty()) {
    context_.devices = kDevices;
    welcome_.why_not = isolator::PrepareDevices(context_.devices);
  }
  if (!welcome_.why_not.empty()) return;
  welcome_.cgroup_kind = static_cast<uint8_t>(world.kind);
  welcome_.cgroup_dirs = {world.cpu,  world.cpuacct, world.memory,
                          world.pids, world.freezer, world.unified};
  context_.world = std::move(world);
}

std::string Launcher::Listen() {
  const std::string directory = DirectoryOf(config_.socket);
  isolator::MakePath(directory, 0700);
  if (chmod(directory.c_str(), 0700) != 0) return Why(directory);
  if (geteuid() == 0 && chown(directory.c_str(), config_.agent_uid, -1) != 0) return Why(directory);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (config_.socket.size() >= sizeof(address.sun_path)) {
    return config_.socket + ": a socket's path may have at most 107 bytes";
  }
  memcpy(address.sun_path, config_.socket.c_str(), config_.socket.size() + 1);
  unlink(config_.socket.c_str());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0 ||
      bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      chmod(config_.socket.c_str(), 0600) != 0 ||
      (geteuid() == 0 && chown(config_.socket.c_str(), config_.agent_uid, -1) != 0) ||
      listen(listener_, 8) != 0) {
    return Why(config_.socket);
  }
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  signals_ = signalfd(-1, &stop, SFD_CLOEXEC);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  Watch(listener_);
  Watch(signals_);
  return "";
}

int Launcher::Run() {
  epoll_event events[4];
  for (;;) {
    const int count = epoll_wait(epoll_, events, 4, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == signals_) return 0;
      if (fd == listener_) {
        Accept();
      } else if (fd == agent_) {
        Hear();
      }
    }
  }
}

void Launcher::Watch(int fd) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void Launcher::Accept() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != config_.agent_uid) {
    fprintf(stderr, "proffer-launcher: user %u was turned away; the agent is user %u\n", peer.uid,
            config_.agent_uid);
    close(fd);
    return;
  }
  Hang();  // A newer agent replaces an older one.
  agent_ = fd;
  Watch(agent_);
  Say(Type::kWelcome, EncodeWelcome(welcome_));
}

void Launcher::Hang() {
  if (agent_ >= 0) close(agent_);
  agent_ = -1;
  input_.clear();
  for (const int fd : descriptors_) close(fd);
  descriptors_.clear();
}

void Launcher::Hear() {
  char buffer[64 * 1024];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 8)];
  iovec part = {buffer, sizeof(buffer)};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t got = recvmsg(agent_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return Hang();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors_.push_back(fd);
    }
  }
  if (descriptors_.size() > kMostDescriptors) return Hang();
  input_.append(buffer, static_cast<size_t>(got));
  Frame frame;
  while (agent_ >= 0) {
    const Parsed parsed = TakeFrame(&input_, &frame);
    if (parsed == Parsed::kIncomplete) return;
    if (parsed == Parsed::kBroken) return Hang();
    Take(frame);
  }
}

void Launcher::Take(const Frame& frame) {
  uint64_t request = 0;
  std::string text;
  switch (frame.type) {
    case Type::kLaunch:
      return Launch(frame);
    case Type::kDestroy:
      if (!DecodeRequest(frame.body, &request, &text)) return Hang();
      return Destroy(request, text);
    case Type::kListContainers:
      if (!DecodeRequest(frame.body, &request, &text)) return Hang();
      return Say(Type::kContainers,
                 EncodeTexts(request, isolator::ListGroups(isolator::RealKernel(), context_.world,
                                                           config_.cgroup_root)));
    case Type::kDeleteSandbox:
      if (!DecodeRequest(frame.body, &request, &text)) return Hang();
      return DeleteSandbox(request, text);
    default:
      // What a newer agent asks for and this launcher does not know begins with its number too.
      DecodeRequest(frame.body, &request, &text);
      return Say(Type::kRefused,
                 EncodeRequest(request, "this launcher does not know the request of type " +
                                            std::to_string(static_cast<int>(frame.type))));
  }
}

template <typename Work>
bool Launcher::Fork(const Work& work) {
  const pid_t pid = fork();
  if (pid != 0) return pid > 0;
  signal(SIGCHLD, SIG_DFL);
  setsid();  // What ends the launcher's session does not end this.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  work();
  _exit(0);
}

void Launcher::Launch(const Frame& frame) {
  isolator::LaunchPlan plan;
  uint64_t request = 0;
  const bool read = DecodeLaunch(frame.body, &request, &plan);
  if (descriptors_.empty()) {
    return Say(Type::kRefused, EncodeRequest(request, "a launch needs a descriptor beside it"));
  }
  const int connection = descriptors_.front();
  descriptors_.pop_front();
  const std::string why = !read
                              ? "the plan cannot be read"
                              : CheckPlan(plan, config_, welcome_.root, welcome_.cgroup_kind != 0);
  FAILPOINT("launcher:plan-checked");
  if (!why.empty()) {
    Say(Type::kRefused, EncodeRequest(request, why));
  } else if (!Fork([&] {
               // Only the connection stays open.
               const int kept = dup3(connection, 3, O_CLOEXEC) == 3 ? 3 : connection;
               syscall(SYS_close_range, static_cast<unsigned>(kept + 1), ~0u, 0);
               if (title_bytes_ > 1) {
                 memset(title_, 0, title_bytes_);
                 snprintf(title_, title_bytes_, "proffer-shim %s", plan.name.c_str());
               }
               prctl(PR_SET_NAME, "proffer-shim");
               RunShim(plan, context_, kept);
             })) {
    Say(Type::kRefused, EncodeRequest(request, Why("no shim could be forked")));
  }
  FAILPOINT("launcher:forked");
  close(connection);
}

void Launcher::Destroy(uint64_t request, const std::string& name) {
  if (!IsName(name)) {
    return Say(Type::kRefused, EncodeRequest(request, "\"" + name + "\" is no container's name"));
  }
  if (welcome_.cgroup_kind == 0) return Say(Type::kDone, EncodeRequest(request, ""));
  const isolator::CgroupGroup group(isolator::RealKernel(), context_.world,
                                    config_.cgroup_root + "/" + name);
  // It may take a while, and the launcher has others to serve.
  const bool forked =
      Fork([&] { Say(Type::kDone, EncodeRequest(request, group.Destroy(kDieMs))); });
  if (!forked) Say(Type::kRefused, EncodeRequest(request, Why("no process could be forked")));
}

void Launcher::DeleteSandbox(uint64_t request, const std::string& path) {
  if (!IsRelativePath(path)) {
    return Say(Type::kRefused,
               EncodeRequest(request, "\"" + path + "\" is not the path of a sandbox"));
  }
  const bool forked = Fork([&] {
    const int root = open(config_.sandbox_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::string left =
        root < 0 ? Why(config_.sandbox_root) : isolator::DeleteTreeBelow(root, path);
    Say(Type::kDone, EncodeRequest(request, left));
  });
  if (!forked) Say(Type::kRefused, EncodeRequest(request, Why("no process could be forked")));
}

void Launcher::Say(Type type, const std::string& body) {
  if (agent_ < 0) return;
  const std::string frame = EncodeFrame(type, body);
  // One send a frame: forks of us answer on the same socket, and a stream keeps sends whole as
  // long as they fit. An agent that lets the socket fill up is broken.
  const ssize_t sent = send(agent_, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(frame.size())) shutdown(agent_, SHUT_RDWR);
}

}  // namespace proffer::launcher
