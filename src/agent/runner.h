// The agent's hand on its containers: asks the launcher for shims, talks to them, finds them again
// after a restart. Carries out the core's container commands and answers with its events.
//
// One thread of its own does everything; commands only enter its queue. Destroying the runner
// leaves shims and tasks alone: that is how an agent restarts. A launcher that is away for a moment
// is waited for; whatever it was asked and did not do is asked of the next one.
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
#include "agent/launcher_link.h"
#include "agent/sandboxes.h"
#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "common/base/time.h"
#include "common/model/ids.h"
#include "launcher/wire.h"

namespace proffer::agent {

// How tasks are kept apart: as well as the launcher can; in containers or not at all; or with
// process groups and rlimits alone.
enum class Isolation { kAuto, kContainers, kPosix };

class Runner {
 public:
  struct Options {
    std::string work_dir;     // On disk: sandboxes.
    std::string runtime_dir;  // On tmpfs: what must not survive a reboot.
    std::string launcher_socket;
    Isolation isolation = Isolation::kAuto;
    bool cpu_quota = false;  // A hard limit at what was accepted, for tasks that name none.
    int64_t pids_limit = 0;  // Of tasks that name none.
    int64_t launcher_wait_ms = 30'000;  // A launch waits that long for a launcher to appear.
    std::string host;                   // Told to tasks.
    std::string default_user;           // Empty: whoever the agent is.
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
  // How a task would be started by a launcher that can do `facts`.
  static absl::StatusOr<isolator::LaunchPlan> PlanLaunch(const Options& options,
                                                         const isolator::MachineFacts& facts,
                                                         const model::LaunchTask& order,
                                                         const model::AgentId& agent,
                                                         const std::string& sandbox);
  // What the options use of what the launcher can do.
  static isolator::MachineFacts FactsFor(const Options& options, isolator::MachineFacts facts);
  ~Runner();

  // THREAD: any. In order. Once a kill was handed in, a launch that has not been carried out never
  // will be.
  void Do(const ContainerCommand& command);

  Sandboxes& sandboxes() { return *sandboxes_; }
  // THREAD: any. Where containers' usage can be read; kind none before a launcher was met.
  isolator::MachineFacts machine() const;

 private:
  struct Container {
    model::AttemptId attempt;
    model::TaskKey key;
    model::AgentId agent;
    int fd = -1;  // To its shim; -1: none.
    // Until the program is known to run: what to ask the next launcher for.
    std::shared_ptr<const model::LaunchTask> launch;
    int tries = 0;            // How often a launcher was asked.
    uint64_t launching = 0;   // The request, answered only if it is refused.
    uint64_t destroying = 0;  // The request that ends what a lost shim has left.
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

  // A shim that lives and has neither told its end nor listens is between two of its steps.
  static constexpr int64_t kListenWaitMs = 10'000;

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

  // Asks the launcher, or waits for one.
  void Start(Container* container);
  absl::Status Spawn(Container* container);
  // The launcher has died between our asking and its doing.
  void StartAgain(Container* container);
  isolator::MachineFacts Facts() const;
  void ServeLauncher();
  void LoseLauncher();
  void TakeAnswer(const LauncherLink::Answer& answer);
  void WatchLauncher();
  // Those that wait for a launcher which does not come.
  void GiveUpWaiting();
  // Ends what the launcher lists and nobody knows.
  void DestroyOthers(const std::vector<std::string>& containers);
  // Finds out what there is of a container whose shim is not connected.
  void Examine(Container* container);
  // Its run directory tells nothing of it. Run directories can be lost, so the kernel is asked.
  void Absent(Container* container);
  void TellAbsent(const std::vector<std::string>& groups);
  // Makes the attempt's marker, so that no shim can; false if there is one.
  bool Claim(const model::AttemptId& attempt);
  bool ReadExit(Container* container, int run_dir);
  bool ConnectTo(Container* container, int run_dir);
  void Lost(Container* container);
  void Hear(Container* container);
  void Take(Container* container, const launcher::Frame& frame);
  void Disconnect(Container* container);
  void Over(Container* container, Event event);
  void Say(Container* container, const std::string& frame);
  void Flush(Container* container);
  void Watch(const Container& container, bool writing, bool added);
  void RemoveRunDirectory(const model::AttemptId& attempt);
  void Erase(const model::AttemptId& attempt);

  const Options options_;
  const Post post_;
  const std::unique_ptr<Sandboxes> sandboxes_;
  const int runtime_fd_;
  int epoll_ = -1;
  int wake_ = -1;

  mutable Mutex mutex_;
  std::deque<Work> queue_ GUARDED_BY_MUTEX(mutex_);
  std::set<model::AttemptId> waiting_ GUARDED_BY_MUTEX(mutex_);       // Launches in the queue.
  std::vector<std::string> sandboxes_left_ GUARDED_BY_MUTEX(mutex_);  // For the launcher to delete.
  isolator::MachineFacts machine_ GUARDED_BY_MUTEX(mutex_);
  bool stopping_ GUARDED_BY_MUTEX(mutex_) = false;

  // Of the thread.
  std::map<model::AttemptId, Container> containers_;
  std::map<int, model::AttemptId> by_fd_;
  std::set<model::AttemptId> examine_again_;
  LauncherLink launcher_;
  uint32_t launcher_events_ = 0;  // What of its descriptor is watched.
  int watched_launcher_ = -1;     // The descriptor of it that is in the epoll set.
  std::optional<std::set<model::AttemptId>> keep_;  // Once KeepContainers has come: ours.
  bool list_containers_ = false;                    // At the next opportunity.
  bool said_not_enforced_ = false;
  std::map<model::AttemptId, Time> waiting_for_launcher_;  // Until when.
  std::map<uint64_t, model::AttemptId> requests_;          // Launches and destructions.
  std::set<model::AttemptId> to_destroy_;                  // As soon as there is a launcher.
  std::set<model::AttemptId> absent_;  // Wait for the launcher's list of control groups.
  std::thread thread_;
};

}  // namespace proffer::agent
