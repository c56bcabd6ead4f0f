// proffer run: one command in the cluster, as if it ran here.
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/describe.h"
#include "cli/duration.h"
#include "cli/exit_code.h"
#include "cli/log_stream.h"
#include "cli/run_options.h"
#include "cli/style.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "proffer/framework.h"

namespace proffer::cli {
namespace {

constexpr int64_t kFirstWhyMs = 2'000;
constexpr int64_t kNextWhyMs = 15'000;
constexpr int64_t kSilentMasterMs = 30'000;

std::string RandomName() {
  static constexpr char kLetters[] = "abcdefghjkmnpqrstuvwxyz23456789";
  std::random_device kernel;
  std::string name = "run-";
  for (int i = 0; i < 4; ++i) name += kLetters[kernel() % (sizeof(kLetters) - 1)];
  return name;
}

// What the framework's thread tells the one that waits.
class Progress {
 public:
  Progress() : changed_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Progress() { close(changed_); }
  int fd() const { return changed_; }

  struct State {
    std::string task_id;  // Of the present launch.
    bool placed = false;
    bool running = false;
    bool done = false;
    int64_t running_ms = 0;
    int64_t done_ms = 0;
  };

  void OnStatus(const TaskStatus& status) {
    MutexLock lock(&mutex_);
    state_.task_id = status.task_id;
    state_.placed = true;
    if (status.state == TaskState::kRunning && !state_.running) {
      state_.running = true;
      state_.running_ms = BootTimeNow().ms;
    }
    eventfd_write(changed_, 1);
  }
  void OnDone() {
    MutexLock lock(&mutex_);
    state_.done = true;
    state_.done_ms = BootTimeNow().ms;
    eventfd_write(changed_, 1);
  }
  State Get() {
    eventfd_t unused;
    eventfd_read(changed_, &unused);
    MutexLock lock(&mutex_);
    return state_;
  }

 private:
  const int changed_;
  Mutex mutex_;
  State state_ GUARDED_BY_MUTEX(mutex_);
};

// Both outputs of the task onto ours, until it has ended and all was read.
class Outputs {
 public:
  Outputs(Context& context, Client& client) : context_(context), client_(client) {}
  ~Outputs() {
    for (grpc::ClientContext& call : calls_) call.TryCancel();
    Join().IgnoreError();
  }
  bool started() const { return threads_[0].joinable(); }

  void Start(const std::string& framework_id, const std::string& task_id) {
    for (const int which : {0, 1}) {
      LogRequest request{framework_id, task_id, which == 0 ? v1::STDOUT : v1::STDERR, 0, true};
      threads_[which] = std::thread([this, which, request] {
        std::ostream& to = which == 0 ? context_.out : context_.err;
        status_[which] = ReadLogCancellable(
            client_, &calls_[which], request, [this, &to](absl::string_view piece) {
              MutexLock lock(&mutex_);
              to.write(piece.data(), static_cast<std::streamsize>(piece.size()));
              to.flush();
              return to.good();
            });
      });
    }
  }
  // OK, or why a part of the output is missing.
  absl::Status Join() {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    return status_[0].ok() ? status_[1] : status_[0];
  }

 private:
  Context& context_;
  Client& client_;
  Mutex mutex_;
  grpc::ClientContext calls_[2];
  absl::Status status_[2];
  std::thread threads_[2];
};

class Runner {
 public:
  Runner(Session& session, const RunOptions& options)
      : context_(session.context), globals_(session.globals), options_(options) {}

  absl::StatusOr<int> Do(const std::vector<std::string>& command);

 private:
  absl::StatusOr<int> Wait(Framework& framework, Run& run);
  absl::StatusOr<int> Ended(Framework& framework, const Result& result);
  int Detached();
  void TellWhy(const std::string& framework_id);
  void Tell(const std::string& what) {
    if (!options_.quiet) {
      context_.err << Style::ForErr(context_).Dim("proffer:") << " " << what << "\n" << std::flush;
    }
  }

  Context& context_;
  const Globals& globals_;
  RunOptions options_;
  std::unique_ptr<Client> client_;
  std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  std::unique_ptr<Outputs> outputs_;
  int64_t timeout_ms_ = 0;
  int64_t begun_ms_ = 0;
  int interrupts_ = 0;
  bool keep_ = false;  // The framework shall outlive us.
  std::string last_why_;
};

absl::StatusOr<int> Runner::Do(const std::vector<std::string>& command) {
  if (options_.name.empty()) options_.name = RandomName();
  ASSIGN_OR_RETURN(const Task task, MakeTask(options_, command, context_.environment));
  timeout_ms_ = task.max_run_time_ms();
  begun_ms_ = BootTimeNow().ms;
  // Before any thread exists, so that all of them leave these to us.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  ASSIGN_OR_RETURN(client_, Client::Connect(context_, globals_));
  RETURN_IF_ERROR(client_->GetCluster().status());  // Says at once when nobody answers.
  outputs_ = std::make_unique<Outputs>(context_, *client_);
  FrameworkOptions framework_options;
  framework_options.name = options_.name;
  framework_options.master = client_->address();
  if (!options_.role.empty()) framework_options.roles = {options_.role};
  framework_options.durable = options_.detach;
  framework_options.give_up_after = std::chrono::milliseconds(kSilentMasterMs);
  absl::StatusOr<int> code;
  std::string framework_id;
  {
    ASSIGN_OR_RETURN(std::unique_ptr<Framework> framework,
                     Framework::Start(std::move(framework_options)));
    Run run = framework->Submit(task);
    run.OnStatus([progress = progress_](const TaskStatus& status) { progress->OnStatus(status); });
    run.OnDone([progress = progress_](const Result&) { progress->OnDone(); });
    code = Wait(*framework, run);
    framework_id = framework->framework_id();
  }
  // One that outlives its process must be ended by name.
  if (options_.detach && !keep_ && !framework_id.empty()) {
    const absl::Status torn_down = client_->Teardown(framework_id);
    if (!torn_down.ok() && code.ok()) Tell(std::string(torn_down.message()));
  }
  return code;
}

absl::StatusOr<int> Runner::Wait(Framework& framework, Run& run) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  const std::unique_ptr<const int, void (*)(const int*)> closer(&signals,
                                                                [](const int* fd) { close(*fd); });
  int64_t next_why_ms = begun_ms_ + kFirstWhyMs;
  while (true) {
    const Progress::State state = progress_->Get();
    if (state.done) return Ended(framework, run.Wait());
    if (state.running && options_.detach && interrupts_ == 0) return Detached();
    if (state.running && !options_.detach && !outputs_->started()) {
      outputs_->Start(framework.framework_id(), state.task_id);
    }
    const int64_t now_ms = BootTimeNow().ms;
    const bool waits = !state.placed && interrupts_ == 0;
    if (waits && timeout_ms_ > 0 && now_ms - begun_ms_ >= timeout_ms_) {
      TellWhy(framework.framework_id());
      run.Kill();
      return absl::DeadlineExceededError(absl::StrCat(options_.name, " found no place within ",
                                                      PrintDuration(timeout_ms_),
                                                      "; it was withdrawn"));
    }
    if (waits && now_ms >= next_why_ms) {
      TellWhy(framework.framework_id());
      next_why_ms = now_ms + kNextWhyMs;
    }
    int64_t until_ms = waits ? next_why_ms : now_ms + 60'000;
    if (waits && timeout_ms_ > 0) until_ms = std::min(until_ms, begun_ms_ + timeout_ms_);
    pollfd fds[2] = {{progress_->fd(), POLLIN, 0}, {signals, POLLIN, 0}};
    poll(fds, 2, static_cast<int>(std::max<int64_t>(0, until_ms - now_ms)));
    signalfd_siginfo info;
    while (read(signals, &info, sizeof(info)) == sizeof(info)) {
      if (++interrupts_ == 1) {
        Tell(absl::StrCat("killing ", options_.name, "; once more to give up waiting for its end"));
        run.Kill();
      } else {
        Tell(absl::StrCat("gave up waiting for ", options_.name,
                          "; the master kills it without us"));
        return 128 + static_cast<int>(info.ssi_signo);
      }
    }
  }
}

void Runner::TellWhy(const std::string& framework_id) {
  std::string why;
  if (framework_id.empty()) {
    why =
        absl::StrCat("waiting for the master at ", client_->address(), " to take ", options_.name);
  } else {
    const absl::StatusOr<v1::ExplainResponse> explained = client_->Explain(framework_id);
    if (!explained.ok()) return;
    why = explained->summary();
    for (const auto& waiting : explained->waiting()) {
      if (waiting.unmet() > 0 && waiting.would_fit_if_size() > 0) {
        absl::StrAppend(&why, "; would fit if ", absl::StrJoin(waiting.would_fit_if(), " or "));
      }
    }
    absl::StrAppend(&why, " (proffer why ", options_.name, ")");
  }
  if (why != std::exchange(last_why_, why)) Tell(why);
}

int Runner::Detached() {
  keep_ = true;
  context_.out << options_.name << "\n" << std::flush;
  Tell(absl::StrCat(options_.name, " runs and goes on without you\n", "  proffer logs -f ",
                    options_.name, "    its output\n", "  proffer status ", options_.name,
                    "     how it is\n", "  proffer kill ", options_.name,
                    "       end it, and forget it when it ended"));
  return kOk;
}

absl::StatusOr<int> Runner::Ended(Framework& framework, const Result& result) {
  const Progress::State state = progress_->Get();
  const bool ran = result.exit_code.has_value() || result.signal.has_value();
  if (!ran) {
    const std::optional<Stopped> stopped = framework.stopped();
    if (interrupts_ > 0) {
      Tell(absl::StrCat(options_.name, " was withdrawn before it ran"));
      return 128 + SIGINT;
    }
    return absl::UnknownError(
        absl::StrCat(options_.name, result.launches > 0 ? " ended " : " did not run: ",
                     result.launches > 0 ? absl::StrCat(std::string(Name(result.state)), ": ") : "",
                     !result.message.empty() ? result.message
                     : stopped               ? stopped->message
                                             : std::string(Name(result.reason))));
  }
  if (options_.detach) context_.out << options_.name << "\n" << std::flush;
  if (!options_.detach) {
    if (!outputs_->started()) outputs_->Start(framework.framework_id(), result.task_id);
    const absl::Status all = outputs_->Join();
    if (!all.ok()) Tell(absl::StrCat("a part of the output is missing: ", all.message()));
  }
  std::string how = absl::StrCat("exit ", result.exit_code.value_or(0));
  if (result.signal) {
    const std::string name = SignalName(*result.signal);
    how =
        absl::StrCat("signal ", *result.signal, name.empty() ? "" : absl::StrCat(" (", name, ")"));
  }
  std::string verb = " finished";
  if (result.state == TaskState::kKilled) verb = " was killed";
  if (result.reason == TaskReason::kMaxRunTime) verb = " ran out of its time";
  if (result.reason == TaskReason::kMemoryLimit) {
    // "out of memory: the container used 64MiB of the 64MiB it may use; ended by signal 9"
    verb = " ran out of memory";
    how = absl::StrCat(result.message.substr(0, result.message.find(';')),
                       "; ask for more with --mem");
    how = std::string(absl::StripPrefix(how, "out of memory: "));
  }
  int64_t ran_ms = state.done_ms - (state.running ? state.running_ms : begun_ms_);
  // The cluster knows it without the way that its words took to us.
  const absl::StatusOr<std::vector<v1::Object>> tasks =
      client_->List(v1::TASKS, false, framework.framework_id());
  if (tasks.ok()) {
    for (const v1::Object& object : *tasks) {
      const v1::TaskView& task = object.task();
      if (task.task_id() == result.task_id && task.running_unix_ms() > 0 &&
          task.ended_unix_ms() > 0) {
        ran_ms = task.ended_unix_ms() - task.running_unix_ms();
      }
    }
  }
  Tell(absl::StrCat(options_.name, verb,
                    result.hostname.empty() ? "" : absl::StrCat(" on ", result.hostname), ": ", how,
                    " (", PrintSeconds(ran_ms), ")"));
  return options_.detach ? int{kOk} : result.ExitStatus();
}

}  // namespace

void AddRun(CLI::App& app, Session& session) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand(
      "run", "Run a command in the cluster: its output here, its exit code ours");
  verb->group(kStartGroup);
  verb->add_option("--cpus", options->cpus, "Processors, as in 0.5")
      ->type_name("CPUS")
      ->capture_default_str();
  verb->add_option("--mem", options->mem, "Memory, as in 512MiB")
      ->type_name("SIZE")
      ->capture_default_str();
  verb->add_option("--gpus", options->gpus, "Whole GPUs")->type_name("N");
  verb->add_option("--ports", options->ports, "How many ports; they come as $PORT0, $PORT1, ...")
      ->type_name("N")
      ->check(CLI::Range(0, 1000));
  verb->add_option("--cpu-limit", options->cpu_limit,
                   "Never more processors than that, even while others are idle")
      ->type_name("CPUS");
  verb->add_option("--pids", options->pids, "Processes and threads; default: the agent's limit")
      ->type_name("N");
  verb->add_option("--cap", options->capabilities,
                   "A capability to keep, as in NET_BIND_SERVICE; the agent must allow it")
      ->type_name("NAME")
      ->allow_extra_args(false);
  verb->add_option("--role", options->role, "The role that it counts for; default: default");
  verb->add_option("--name", options->name, "What it is called; default: run- and some letters");
  verb->add_option("-e,--env", options->environment, "NAME=VALUE, or NAME to hand on yours")
      ->type_name("K=V")
      ->allow_extra_args(false);
  verb->add_option("--user", options->user, "Who it runs as; default: the agent's default user");
  verb->add_option("--on", options->on,
                   "What must hold of the agent, as in rack==r1, \"zone in {a,b}\" or !ssd")
      ->type_name("CONSTRAINT")
      ->allow_extra_args(false);
  verb->add_option("--timeout", options->timeout,
                   "At most so long to find a place, and at most so long to run")
      ->type_name("TIME");
  verb->add_flag("-d,--detach", options->detach, "Leave it running; prints its name");
  verb->add_flag("-q,--quiet", options->quiet, "Only what the command says");
  verb->footer("The command stands after \"--\": proffer run --cpus 1 -- sh -c 'echo $HOME'");
  verb->prefix_command();
  AddGlobals(verb, session, false);
  verb->callback([&session, options, verb] {
    std::vector<std::string> command = verb->remaining();
    const bool wrong = !command.empty() && command[0].size() > 1 && command[0][0] == '-';
    const std::string first = wrong ? command[0] : "";
    command.insert(command.end(), session.after_dashes.begin(), session.after_dashes.end());
    session.action = [&session, options, command, first]() -> absl::StatusOr<int> {
      absl::StatusOr<int> code =
          first.empty() ? Runner(session, *options).Do(command)
                        : absl::InvalidArgumentError(absl::StrCat(
                              first, " is not an option of run; see `proffer run --help`"));
      if (code.ok()) return code;
      session.context.err << "proffer: " << code.status().message() << "\n";
      return int{kRunFailed};  // Not to be taken for a code of the command's.
    };
  });
}

}  // namespace proffer::cli
