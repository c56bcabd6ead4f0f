// The agent's hand on its containers: spawns shims, talks to them, finds them again after a
// restart. Carries out the core's container commands and answers with its events.
//
// One thread of its own does everything; commands only enter its queue. Destroying the runner
// leaves shims and tasks alone: that is how an agent restarts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/command_spec.h"
#include "agent/core/effects.h"
#include "agent/core/events.h"
#include "agent/sandboxes.h"
#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "common/model/ids.h"
#include "shim/wire.h"

namespace proffer::agent {

class Runner {
 public:
  struct Options {
    std::string work_dir;     // On disk: sandboxes.
    std::string runtime_dir;  // On tmpfs: what must not survive a reboot.
    std::string shim_path;
    std::string host;          // Told to tasks.
    std::string default_user;  // Empty: whoever the agent is.
    uint64_t log_file_bytes = 10u << 20;
    uint32_t log_files = 2;
    int64_t kill_grace_ms = limits::kKillGraceDefaultMs;
    size_t keep_ended_sandboxes = limits::kEndedTasksPerFramework;
    // Understands a task's payload.
    std::function<absl::StatusOr<CommandSpec>(const model::Payload&)> decode;
  };
  // Called from the runner's thread; must not block.
  using Post = std::function<void(Event)>;

  static absl::StatusOr<std::unique_ptr<Runner>> Create(Options options, Post post);
  ~Runner();

  // THREAD: any. In order. Once a kill was handed in, a launch that has not been carried out never
  // will be.
  void Do(const ContainerCommand& command);

  Sandboxes& sandboxes() { return *sandboxes_; }

 private:
  struct Container {
    model::AttemptId attempt;
    model::TaskKey key;
    model::AgentId agent;
    int fd = -1;              // To its shim; -1: none.
    pid_t shim = 0;           // Our child; 0: of a former life.
    bool recovering = false;  // The core waits for an answer.
    bool forgotten = false;   // Nobody wants to hear of it: it is killed and removed.
    bool over = false;        // Its end was told.
    int64_t give_up_ms = 0;   // Until then a shim that lives but does not listen is waited for.
    std::optional<int64_t> kill_ms;  // The shortest grace that was asked for.
    std::string input;
    std::string output;  // What the socket did not take yet.
  };
  struct Cancelled {
    model::AttemptId attempt;
  };
  using Work = std::variant<ContainerCommand, Cancelled>;

  Runner(Options options, Post post, std::unique_ptr<Sandboxes> sandboxes, int runtime_fd);

  void Run();
  void Carry(const Work& work);
  void Launch(const LaunchContainer& command);
  void Kill(const KillContainer& command);
  void Forget(const ForgetContainer& command);
  // Kills what lives of it and removes what there is of it, but for the sandbox.
  void Discard(const model::AttemptId& attempt);
  void Recover(const RecoverContainer& command);
  void Keep(const KeepContainers& command);

  absl::Status Spawn(const LaunchContainer& command, Container* container);
  // Finds out what there is of a container whose shim is not connected.
  void Examine(Container* container);
  bool ReadExit(Container* container, int run_dir);
  bool ConnectTo(Container* container, int run_dir);
  void Lost(Container* container);
  void Hear(Container* container);
  void Take(Container* container, const shim::Frame& frame);
  void Disconnect(Container* container);
  void Over(Container* container, Event event);
  void Say(Container* container, const std::string& frame);
  void Flush(Container* container);
  void Watch(const Container& container, bool writing, bool added);
  void RemoveRunDirectory(const model::AttemptId& attempt);
  void Erase(const model::AttemptId& attempt);
  // Ended shims are our children; whoever has gone is reaped.
  void Reap();

  const Options options_;
  const Post post_;
  const std::unique_ptr<Sandboxes> sandboxes_;
  const int runtime_fd_;
  int epoll_ = -1;
  int wake_ = -1;

  Mutex mutex_;
  std::deque<Work> queue_ GUARDED_BY_MUTEX(mutex_);
  std::set<model::AttemptId> waiting_ GUARDED_BY_MUTEX(mutex_);  // Launches in the queue.
  bool stopping_ GUARDED_BY_MUTEX(mutex_) = false;

  // Of the thread.
  std::map<model::AttemptId, Container> containers_;
  std::map<int, model::AttemptId> by_fd_;
  std::set<model::AttemptId> examine_again_;
  std::vector<pid_t> children_;  // Those that are about to end.
  std::thread thread_;
};

}  // namespace proffer::agent
