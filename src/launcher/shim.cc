// Events in, the machine's decisions out.
#include "launcher/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "isolator/filesystem/directory.h"
#include "isolator/filesystem/mounts.h"
#include "launcher/container.h"
#include "launcher/failpoint.h"
#include "launcher/log_file.h"
#include "launcher/shim_machine.h"
#include "launcher/wire.h"

namespace proffer::launcher {
namespace {

using isolator::LaunchPlan;

// While something is awaited that no event tells of.
constexpr int kLookAgainMs = 5;
// Between the word that memory ran out and the kill that follows.
constexpr int64_t kDeedMs = 2'000;

int64_t NowMs() {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return ts.tv_sec * int64_t{1000} + ts.tv_nsec / 1000000;
}

class Shim {
 public:
  Shim(const LaunchPlan& plan, const ShimContext& context, int agent)
      : plan_(plan),
        context_(context),
        machine_(plan.kill_grace_ms, plan.max_run_time_ms, plan.stop_after_disconnect_ms),
        agent_(agent),
        container_(plan_, context_) {}

  void Run() {
    FAILPOINT("shim:forked");
    if (!Claim()) return;
    FAILPOINT("shim:claimed");
    Prepare();
    Start();
    while (!done_) Turn();
    // The socket goes first: who connects now finds the end on disk.
    unlinkat(run_dir_, kSocketFile, 0);
  }

 private:
  // Makes this the only shim of the attempt. Nothing has happened before.
  bool Claim() {
    // No component may be a link: the directory above belongs to the agent.
    run_dir_ = open(plan_.run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int marker = run_dir_ < 0 ? -1
                                    : openat(run_dir_, kStartedFile,
                                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    // The lock stays until this process ends. An agent that looks for a lost shim takes it before
    // it decides; then this attempt is over.
    if (marker >= 0 && flock(marker, LOCK_EX | LOCK_NB) == 0) {
      GiveToAgent(marker);
      return true;
    }
    Send(EncodeFrame(Type::kTaken, ""));
    return false;
  }

  void GiveToAgent(int fd) const {
    if (context_.agent_uid != geteuid() && fchown(fd, context_.agent_uid, -1) != 0) {
      // Then the agent takes this container for one of somebody else and says so.
    }
  }

  void Prepare() {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, nullptr);  // Nothing interrupts; SIGCHLD comes as data.
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    signals_ = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    timer_ = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    Watch(signals_);
    Watch(timer_);
    Watch(agent_);
    // A later agent connects here. The path may be longer than an address allows, so by way of the
    // current directory.
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, kSocketFile, sizeof(kSocketFile));
    if (fchdir(run_dir_) == 0 &&
        bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
        listen(listener_, 4) == 0) {
      if (context_.agent_uid != geteuid()) {
        fchownat(run_dir_, kSocketFile, context_.agent_uid, -1, AT_SYMLINK_NOFOLLOW);
      }
      Watch(listener_);
    }
    if (chdir("/") != 0) {
      // Then it stays in its run directory.
    }
  }

  uint32_t task_uid() const { return plan_.switch_user ? plan_.uid : geteuid(); }
  uint32_t task_gid() const { return plan_.switch_user ? plan_.gid : getegid(); }

  // Opens the sandbox for the task's user: whoever made it, nobody else may have had a hand in it.
  int OpenSandbox(std::string* why) {
    const int fd = isolator::OpenRealDirectory(plan_.sandbox);
    struct stat facts = {};
    if (fd < 0 || fstat(fd, &facts) != 0) {
      *why = "the sandbox " + plan_.sandbox + " cannot be opened: " + strerror(errno);
      if (errno == ELOOP) *why += "; name it without symbolic links (--work_dir, sandbox_root)";
      return -1;
    }
    if (facts.st_uid != context_.agent_uid && facts.st_uid != task_uid()) {
      *why = "the sandbox " + plan_.sandbox + " belongs to user " + std::to_string(facts.st_uid) +
             "; expected the agent's or the task's";
      close(fd);
      return -1;
    }
    // The agent reads it by way of the group.
    if (facts.st_uid != task_uid() && (fchown(fd, task_uid(), -1) != 0 || fchmod(fd, 0750) != 0)) {
      *why = std::string("the sandbox could not be given to its user: ") + strerror(errno);
      close(fd);
      return -1;
    }
    const bool wants_tmp =
        std::count(plan_.mounts.begin(), plan_.mounts.end(), isolator::Mount::kPrivateTmp) != 0;
    if (wants_tmp && mkdirat(fd, isolator::kTmpOfSandbox, 0700) == 0) {
      const int tmp =
          openat(fd, isolator::kTmpOfSandbox, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (tmp >= 0 && (fchown(tmp, task_uid(), task_gid()) != 0 || fchmod(tmp, 01777) != 0)) {
        *why = std::string("the task's /tmp could not be made: ") + strerror(errno);
      }
      if (tmp >= 0) close(tmp);
    }
    return fd;
  }

  void Start() {
    std::string why;
    int output[2] = {-1, -1};
    int error[2] = {-1, -1};
    const int sandbox = OpenSandbox(&why);
    if (why.empty() && (!logs_[0].Open(sandbox, "stdout", plan_.log_file_bytes, plan_.log_files,
                                       task_uid(), task_gid()) ||
                        !logs_[1].Open(sandbox, "stderr", plan_.log_file_bytes, plan_.log_files,
                                       task_uid(), task_gid()) ||
                        pipe2(output, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0)) {
      why = std::string("the log files could not be made in the sandbox: ") + strerror(errno);
    }
    FAILPOINT("shim:logs-opened");
    Container::News news;
    news.failed = why;
    if (why.empty()) {
      pipes_[0] = output[0];
      pipes_[1] = error[0];
      for (const int end : {output[1], error[1]}) {
        // So that the task may open /dev/stdout anew.
        if (plan_.switch_user && fchown(end, task_uid(), task_gid()) != 0) continue;
      }
      news = container_.Start(output[1], error[1]);
      close(output[1]);
      close(error[1]);
      for (const int pipe : pipes_) {
        fcntl(pipe, F_SETFL, O_NONBLOCK);
        Watch(pipe);
      }
      if (container_.channel() >= 0) Watch(container_.channel());
      if (container_.out_of_memory() >= 0) Watch(container_.out_of_memory());
    }
    Take(news);
  }

  void Take(const Container::News& news) {
    if (!news.failed.empty()) {
      failed_ = true;
      last_frame_ = EncodeFrame(Type::kLaunchFailed, news.failed);
      Do(machine_.OnLaunchFailed());
    }
    if (news.started > 0 && !failed_) {
      FAILPOINT("shim:task-started");
      last_frame_ = EncodeFrame(Type::kStarted, EncodeInt64(news.started));
      Send(last_frame_);
      Do(machine_.OnStarted(NowMs()));
    }
    if (news.ended && !failed_) {
      FAILPOINT("shim:task-ended");
      Do(machine_.OnEnded(news.signalled, news.code));
    }
    // Most tasks leave nothing behind: one look more, and it is over.
    if (sweeping_ && container_.Swept()) Swept();
    if (!done_) SetTimer();
  }

  void Turn() {
    epoll_event events[8];
    const int count =
        epoll_wait(epoll_, events, 8, sweeping_ || short_of_memory_ ? kLookAgainMs : -1);
    for (int i = 0; i < count && !done_; ++i) {
      const int fd = events[i].data.fd;
      if (fd == signals_) {
        signalfd_siginfo unused;
        while (read(signals_, &unused, sizeof(unused)) > 0) continue;
      } else if (fd == timer_) {
        uint64_t unused;
        if (read(timer_, &unused, sizeof(unused)) > 0) Do(machine_.OnTimer(NowMs()));
      } else if (fd == listener_) {
        Accept();
      } else if (fd == agent_) {
        Hear();
      } else if (fd == pipes_[0] || fd == pipes_[1]) {
        Copy(fd == pipes_[0] ? 0 : 1);
      } else if (fd == container_.out_of_memory()) {
        short_of_memory_ = true;
        short_until_ms_ = NowMs() + kDeedMs;
      }
    }
    if (short_of_memory_) {
      const bool killed = container_.RanOutOfMemory();
      // Sometimes memory is found after all.
      short_of_memory_ = !killed && NowMs() < short_until_ms_;
      if (killed) Do(machine_.OnOutOfMemory(NowMs()));
    }
    if (!done_ && !machine_.over()) Take(container_.Listen());
  }

  void Swept() {
    sweeping_ = false;
    short_of_memory_ = false;
    for (const int which : {0, 1}) {
      // Nobody is left to write; what is in the pipe is bounded by its size.
      if (pipes_[which] >= 0) logs_[which].CopyFrom(pipes_[which], 4 << 20);
    }
    Ended ended;
    if (container_.Account(&ended)) machine_.OnOutOfMemoryFound();
    ended.cause = machine_.ended().cause;
    ended.signalled = machine_.ended().signalled;
    ended.code = machine_.ended().code;
    ended.left = container_.Remove();
    if (!failed_) last_frame_ = EncodeFrame(Type::kEnded, EncodeEnded(ended));
    Do(machine_.OnSwept());
  }

  void Do(const Actions& actions) {
    if (actions.terminate) container_.Signal(SIGTERM);
    if (actions.terminate) container_.Signal(SIGCONT);  // A stopped one would not hear it.
    if (actions.kill) container_.Kill();
    if (actions.sweep) sweeping_ = true;
    if (actions.publish) Publish();
    if (actions.exit) done_ = true;
  }

  // First the disk, then the word: whoever hears it may act on it.
  void Publish() {
    const std::string temporary = std::string(kExitFile) + ".tmp";
    unlinkat(run_dir_, temporary.c_str(), 0);
    const int fd = openat(run_dir_, temporary.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
      GiveToAgent(fd);
      const ssize_t written = write(fd, last_frame_.data(), last_frame_.size());
      close(fd);
      FAILPOINT("shim:exit-written");
      if (written == static_cast<ssize_t>(last_frame_.size())) {
        renameat(run_dir_, temporary.c_str(), run_dir_, kExitFile);
      }
    }
    FAILPOINT("shim:exit-published");
    Send(last_frame_);
  }

  void Accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    ucred peer = {};
    socklen_t size = sizeof(peer);
    const bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                       (peer.uid == context_.agent_uid || peer.uid == 0);
    if (!known) {
      close(fd);
      return;
    }
    if (agent_ >= 0) close(agent_);  // A newer agent replaces an older one.
    agent_ = fd;
    input_.clear();
    machine_.OnConnected();
    Watch(agent_);
  }

  void Hear() {
    char buffer[4096];
    for (;;) {
      const ssize_t got = recv(agent_, buffer, sizeof(buffer), MSG_DONTWAIT);
      if (got > 0) {
        input_.append(buffer, got);
        continue;
      }
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
      return Disconnected();
    }
    Frame frame;
    for (;;) {
      const Parsed parsed = TakeFrame(&input_, &frame);
      if (parsed == Parsed::kIncomplete) return;
      if (parsed == Parsed::kBroken) return Disconnected();
      if (frame.type == Type::kHello) {
        Send(last_frame_);
      } else if (frame.type == Type::kKill) {
        int64_t grace_ms = 0;
        if (!DecodeInt64(frame.body, &grace_ms)) continue;
        // A program that has ended by itself already is not called killed.
        if (!machine_.over()) Take(container_.Listen());
        Do(machine_.OnKill(NowMs(), grace_ms));
      } else if (frame.type == Type::kRelease) {
        Do(machine_.OnRelease());
      }
      // Others are those of a newer agent, which knows that this shim ignores them.
      if (agent_ < 0 || done_) return;
    }
  }

  void Disconnected() {
    if (agent_ >= 0) close(agent_);
    agent_ = -1;
    Do(machine_.OnDisconnected(NowMs()));
  }

  void Copy(int which) {
    if (logs_[which].CopyFrom(pipes_[which], 1 << 20)) return;
    close(pipes_[which]);
    pipes_[which] = -1;
  }

  // Frames are tiny and few; an agent that does not take them is as good as gone.
  void Send(const std::string& frame) {
    if (agent_ < 0 || frame.empty()) return;
    const ssize_t sent = send(agent_, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(frame.size())) shutdown(agent_, SHUT_RDWR);
  }

  void Watch(int fd) {
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void SetTimer() {
    const int64_t deadline = machine_.deadline();
    if (deadline == timer_set_) return;
    timer_set_ = deadline;
    itimerspec when = {};
    if (deadline != Machine::kNever) {
      when.it_value.tv_sec = deadline / 1000;
      when.it_value.tv_nsec = (deadline % 1000) * 1000000;
      if (deadline <= 0) when.it_value.tv_nsec = 1;
    }
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
  }

  const LaunchPlan& plan_;
  const ShimContext& context_;
  Machine machine_;
  int run_dir_ = -1;
  int epoll_ = -1;
  int signals_ = -1;
  int timer_ = -1;
  int listener_ = -1;
  int agent_ = -1;
  std::string input_;
  LogFile logs_[2];
  int pipes_[2] = {-1, -1};
  Container container_;
  bool failed_ = false;  // To start.
  bool sweeping_ = false;
  bool short_of_memory_ = false;  // The kernel has said so; what it did about it is not known yet.
  int64_t short_until_ms_ = 0;
  bool done_ = false;
  int64_t timer_set_ = Machine::kNever;
  std::string last_frame_;
};

}  // namespace

void RunShim(const LaunchPlan& plan, const ShimContext& context, int agent) {
  Shim(plan, context, agent).Run();
}

}  // namespace proffer::launcher
