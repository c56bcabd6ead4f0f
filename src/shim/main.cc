// proffer-shim: starts one task, watches over it, keeps its output and its end. Small, static,
// single-threaded; survives the agent that spawned it.
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "shim/launch.h"
#include "shim/log_file.h"
#include "shim/machine.h"
#include "shim/sweep.h"
#include "shim/wire.h"

namespace proffer::shim {
namespace {

int64_t NowMs() {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return ts.tv_sec * int64_t{1000} + ts.tv_nsec / 1000000;
}

class Driver {
 public:
  explicit Driver(Plan plan)
      : plan_(std::move(plan)),
        machine_(plan_.kill_grace_ms, plan_.max_run_time_ms, plan_.stop_after_disconnect_ms) {}

  int Run() {
    if (!Claim()) return 0;
    Prepare();
    Start();
    while (!done_) Turn();
    // The socket goes first: who connects now finds the end on disk.
    unlinkat(run_dir_, kSocketFile, 0);
    return 0;
  }

 private:
  // Makes this the only shim of the attempt. Nothing has happened before.
  bool Claim() {
    run_dir_ = open(plan_.run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int marker = run_dir_ < 0 ? -1
                                    : openat(run_dir_, kStartedFile,
                                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    // The lock stays until this process ends. An agent that looks for a lost shim takes it before
    // it decides; then this attempt is over.
    if (marker >= 0 && flock(marker, LOCK_EX | LOCK_NB) == 0) return true;
    Send(EncodeFrame(Type::kTaken, ""));
    return false;
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
      Watch(listener_);
    }
    if (chdir("/") != 0) {
      // Then it stays in its run directory.
    }
  }

  void Start() {
    std::string why;
    int output[2];
    int error[2];
    const int sandbox = open(plan_.sandbox.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const uint32_t uid = plan_.switch_user ? plan_.uid : geteuid();
    const uint32_t gid = plan_.switch_user ? plan_.gid : getegid();
    if (sandbox < 0 ||
        !logs_[0].Open(sandbox, "stdout", plan_.log_file_bytes, plan_.log_files, uid, gid) ||
        !logs_[1].Open(sandbox, "stderr", plan_.log_file_bytes, plan_.log_files, uid, gid) ||
        pipe2(output, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0) {
      why = std::string("the log files could not be made in the sandbox: ") + strerror(errno);
    } else {
      pipes_[0] = output[0];
      pipes_[1] = error[0];
      for (int end : {output[1], error[1]}) {
        // So that the task may open /dev/stdout anew.
        if (plan_.switch_user && fchown(end, uid, gid) != 0) continue;
      }
      pid_ = Launch(plan_, output[1], error[1], &why);
      close(output[1]);
      close(error[1]);
    }
    if (pid_ < 0) {
      last_frame_ = EncodeFrame(Type::kLaunchFailed, why);
      return Do(machine_.OnLaunchFailed());
    }
    machine_.OnStarted(NowMs());
    last_frame_ = EncodeFrame(Type::kStarted, EncodeInt64(pid_));
    Send(last_frame_);
    for (int pipe : pipes_) {
      fcntl(pipe, F_SETFL, O_NONBLOCK);
      Watch(pipe);
    }
    SetTimer();
  }

  void Turn() {
    epoll_event events[8];
    const int count = epoll_wait(epoll_, events, 8, sweeping_ ? 50 : -1);
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
      }
    }
    if (pid_ > 0 && !machine_.over()) Reap();
    if (!done_) SetTimer();
  }

  // Takes in who has ended. The program itself is looked at before it is reaped: as long as it is
  // not, nobody else can have its number, and its group can be killed safely.
  void Reap() {
    for (;;) {
      siginfo_t info = {};
      if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno == ECHILD && sweeping_) Swept();
        return;
      }
      if (info.si_pid == 0) {  // Some live, none has ended.
        if (sweeping_) KillChildren();
        return;
      }
      if (info.si_pid == pid_ && !sweeping_) {
        kill(-pid_, SIGKILL);
        const bool signalled = info.si_code != CLD_EXITED;
        Do(machine_.OnEnded(signalled, info.si_status));
      }
      waitpid(info.si_pid, nullptr, 0);
    }
  }

  void Swept() {
    sweeping_ = false;
    for (int which : {0, 1}) {
      // Nobody is left to write; what is in the pipe is bounded by its size.
      if (pipes_[which] >= 0) logs_[which].CopyFrom(pipes_[which], 4 << 20);
    }
    last_frame_ = EncodeFrame(Type::kEnded, EncodeEnded(machine_.ended()));
    Do(machine_.OnSwept());
  }

  void Do(const Actions& actions) {
    if (actions.terminate) kill(-pid_, SIGTERM);
    if (actions.terminate) kill(-pid_, SIGCONT);  // A stopped one would not hear it.
    if (actions.kill) kill(-pid_, SIGKILL);
    if (actions.sweep) sweeping_ = true;
    if (actions.publish) Publish();
    if (actions.exit) done_ = true;
  }

  // First the disk, then the word: whoever hears it may act on it.
  void Publish() {
    const std::string temporary = std::string(kExitFile) + ".tmp";
    const int fd =
        openat(run_dir_, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
      const ssize_t written = write(fd, last_frame_.data(), last_frame_.size());
      close(fd);
      if (written == static_cast<ssize_t>(last_frame_.size())) {
        renameat(run_dir_, temporary.c_str(), run_dir_, kExitFile);
      }
    }
    Send(last_frame_);
  }

  void Accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
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
        if (pid_ > 0 && !machine_.over()) Reap();
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

  const Plan plan_;
  Machine machine_;
  int run_dir_ = -1;
  int epoll_ = -1;
  int signals_ = -1;
  int timer_ = -1;
  int listener_ = -1;
  int agent_ = kInheritedFd;
  std::string input_;
  LogFile logs_[2];
  int pipes_[2] = {-1, -1};
  pid_t pid_ = -1;
  bool sweeping_ = false;
  bool done_ = false;
  int64_t timer_set_ = Machine::kNever;
  std::string last_frame_;
};

// Waits for the plan on the inherited descriptor. An agent that dies before it has said all has
// started nothing.
bool ReadPlan(Plan* plan) {
  std::string buffer;
  Frame frame;
  char piece[64 * 1024];
  for (;;) {
    const Parsed parsed = TakeFrame(&buffer, &frame);
    if (parsed == Parsed::kBroken) return false;
    if (parsed == Parsed::kFrame) break;
    // Never more than the frame: what follows it is for the loop.
    size_t want = kFrameHeaderBytes - std::min(buffer.size(), kFrameHeaderBytes);
    if (want == 0) {
      uint32_t length = 0;
      memcpy(&length, buffer.data() + 4, sizeof(length));
      want = kFrameHeaderBytes + length - buffer.size();
    }
    const ssize_t got = read(kInheritedFd, piece, std::min(want, sizeof(piece)));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    buffer.append(piece, got);
  }
  return frame.type == Type::kPlan && DecodePlan(frame.body, plan);
}

}  // namespace
}  // namespace proffer::shim

int main() {
  using namespace proffer::shim;
  syscall(SYS_close_range, static_cast<unsigned>(kInheritedFd + 1), ~0u, 0);
  fcntl(kInheritedFd, F_SETFD, FD_CLOEXEC);
  Plan plan;
  if (!ReadPlan(&plan)) {
    static constexpr char kUsage[] =
        "proffer-shim is started by proffer-agent, which hands it a plan on descriptor 3\n";
    return write(2, kUsage, sizeof(kUsage) - 1) < 0 ? 3 : 2;
  }
  return Driver(std::move(plan)).Run();
}
