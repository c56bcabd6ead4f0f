// proffer dev: a whole cluster on this machine, at once, and gone without a trace afterwards.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/context_file.h"
#include "cli/dev/cluster.h"
#include "cli/dev/place.h"
#include "cli/duration.h"
#include "cli/exit_code.h"
#include "cli/style.h"
#include "cli/version.h"
#include "common/base/clock.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

struct Options {
  DevOptions dev;
  bool detach = false;
  bool follow = false;
  bool all = false;
};

void PrintBanner(std::ostream& out, const Style& style, const DevCluster& cluster,
                 const Options& options, int64_t took_ms) {
  const size_t count = cluster.agents().size();
  out << style.Bold(absl::StrCat("proffer ", kVersion, " dev cluster"))
      << absl::StrFormat(": a master and %d %s as processes of yours, ready in %s\n", count,
                         count == 1 ? "agent" : "agents", PrintSeconds(took_ms));
  const auto line = [&](const std::string& mark, const std::string& name, const std::string& text) {
    out << "  " << mark << " " << absl::StrFormat("%-10s", name) << " " << text << "\n";
  };
  const std::string good = style.Green("✓");
  line(good, "master", cluster.master());
  constexpr size_t kShown = 4;
  for (size_t i = 0; i < count && i < kShown; ++i) {
    const DevCluster::Agent& agent = cluster.agents()[i];
    line(good, "agent " + agent.name, agent.resources);
  }
  if (count > kShown) {
    line(good, "...", absl::StrCat("to ", cluster.agents().back().name, ", all alike"));
  }
  const std::string isolation = cluster.isolation();
  const bool contained = absl::StartsWith(isolation, "containers");
  line(contained ? good : style.Yellow("!"), "isolation",
       contained ? absl::StrCat(isolation, "; cpu and memory are enforced")
                 : absl::StrCat(isolation, "; cpu and memory are counted, not enforced"));
  if (geteuid() == 0) {
    line(style.Yellow("!"), "user", "tasks that name no user run as root, without capabilities");
  }
  line(" ", "state",
       options.dev.keep.empty() ? cluster.place().state() + " (removed at the end)"
                                : options.dev.keep + " (kept)");
  const auto next = [&](const char* lead, const char* command, const char* does) {
    out << absl::StrFormat("%-6s %-29s  %s\n", lead, command, does);
  };
  next("Next", "proffer run -- echo hello", "run a command, see its output, get its exit code");
  next("", "proffer status", "the cluster on one screen");
  next("", "proffer events -f", "what happens in it");
  next("", "proffer dev logs -f", "what master and agents say");
  if (options.detach) {
    next("", "proffer dev stop", "stop everything and clean up");
  } else {
    next("", "Ctrl-C", "stop everything and clean up");
  }
}

void BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// Runs until it is told to stop. `ready` is called when the banner has been written to `out`.
absl::StatusOr<int> RunCluster(const Context& context, const Options& options, std::ostream& out,
                               std::ostream& err, const Style& style,
                               const std::function<void()>& ready) {
  const int64_t begun_ms = BootTimeNow().ms;
  BlockSignals();
  std::vector<std::string> removed;
  absl::StatusOr<std::unique_ptr<DevCluster>> cluster =
      DevCluster::Start(DevBase(context), options.dev, &removed);
  for (const std::string& what : removed) {
    err << "removed what a former dev cluster had left: " << what << "\n";
  }
  RETURN_IF_ERROR(cluster.status());
  const std::string path = ContextFilePath(context);
  if (path.empty()) {
    err << "no home directory, so say where the master is: export PROFFER_MASTER="
        << (*cluster)->master() << "\n";
  } else {
    RETURN_IF_ERROR(RememberMaster(path, (*cluster)->master()));
  }
  const std::string master = (*cluster)->master();
  PrintBanner(out, style, **cluster, options, BootTimeNow().ms - begun_ms);
  out.flush();
  ready();
  (*cluster)->Run([&](const std::string& what) {
    out << PrintTimeOfDay(UnixNowMs()) << "  " << what << "\n" << std::flush;
  });
  if (!path.empty()) ForgetMaster(path, master);
  cluster->reset();
  // Another one that still runs is in use again.
  if (!path.empty() && RememberedMaster(path).value_or("").empty()) {
    for (const DevPlace& place : FindDevPlaces(DevBase(context))) {
      if (place.running) RememberMaster(path, place.master()).IgnoreError();
    }
  }
  out << "\nstopped; nothing of it is left"
      << (options.dev.keep.empty() ? "" : absl::StrCat(" but ", options.dev.keep)) << "\n";
  return kOk;
}

// In a process of its own that outlives this one. What it says until it is ready comes by a pipe,
// ended by a zero byte and its exit code.
absl::StatusOr<int> Detach(Context& context, const Options& options) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  context.out.flush();
  context.err.flush();
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "could not start a process of its own");
  if (pid == 0) {
    close(pipe_ends[0]);
    setsid();
    const int null = open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) dup2(null, fd);
    std::ostringstream said;
    const auto tell = [&](int code) {
      const std::string text = absl::StrCat(said.str(), std::string(1, '\0'), code);
      for (size_t sent = 0; sent < text.size();) {
        const ssize_t wrote = write(pipe_ends[1], text.data() + sent, text.size() - sent);
        if (wrote <= 0) break;
        sent += wrote;
      }
      close(pipe_ends[1]);
      pipe_ends[1] = -1;
      said.str("");
    };
    const absl::StatusOr<int> code =
        RunCluster(context, options, said, said, Style::ForOut(context), [&] { tell(kOk); });
    if (pipe_ends[1] >= 0) {
      if (!code.ok()) said << "proffer: " << code.status().message() << "\n";
      tell(code.ok() ? *code : ExitCodeOf(code.status()));
    }
    _exit(0);
  }
  close(pipe_ends[1]);
  std::string said;
  char buffer[4096];
  ssize_t got;
  while ((got = read(pipe_ends[0], buffer, sizeof(buffer))) > 0) said.append(buffer, got);
  close(pipe_ends[0]);
  const size_t end = said.find('\0');
  const int code = end == std::string::npos ? kUnexpected : std::atoi(said.c_str() + end + 1);
  (code == kOk ? context.out : context.err) << said.substr(0, end);
  return code;
}

// --- Of clusters that run ---

// The one that is meant: the only one, else that of the context file.
absl::StatusOr<DevPlace> Chosen(const Context& context) {
  std::vector<DevPlace> places = FindDevPlaces(DevBase(context));
  places.erase(std::remove_if(places.begin(), places.end(),
                              [](const DevPlace& place) { return !place.running; }),
               places.end());
  if (places.empty()) {
    return absl::NotFoundError("no dev cluster of yours runs; start one with `proffer dev`");
  }
  if (places.size() == 1) return places[0];
  const std::string master = RememberedMaster(ContextFilePath(context)).value_or("");
  for (const DevPlace& place : places) {
    if (place.master() == master) return place;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(places.size(),
                   " dev clusters run, and the context file names none; see `proffer dev status`"));
}

absl::StatusOr<int> DevStatus(Context& context) {
  const std::vector<DevPlace> places = FindDevPlaces(DevBase(context));
  const std::string master = RememberedMaster(ContextFilePath(context)).value_or("");
  if (places.empty()) {
    context.err << "no dev cluster of yours runs; start one with `proffer dev`\n";
    return kOk;
  }
  for (const DevPlace& place : places) {
    context.out << place.master() << "  ";
    if (place.running) {
      context.out << "runs as process " << place.process.pid
                  << (place.master() == master ? ", in use" : "") << "\n";
    } else {
      context.out << "died without cleaning up; the next `proffer dev` removes it\n";
    }
  }
  return kOk;
}

absl::Status StopOne(Context& context, const DevPlace& place) {
  if (!Signal(place.process, SIGTERM)) {
    return absl::NotFoundError(absl::StrCat("the process of ", place.directory,
                                            " has ended; the next `proffer dev` removes the rest"));
  }
  if (!WaitForEnd(place.process, 20'000)) {
    return absl::DeadlineExceededError(absl::StrCat("process ", place.process.pid,
                                                    " did not stop within 20 s; its logs are in ",
                                                    place.state(), "/log"));
  }
  context.out << "stopped the dev cluster in " << place.directory << "\n";
  return absl::OkStatus();
}

absl::StatusOr<int> DevStop(Context& context, bool all) {
  if (!all) {
    ASSIGN_OR_RETURN(const DevPlace place, Chosen(context));
    RETURN_IF_ERROR(StopOne(context, place));
    return kOk;
  }
  for (const DevPlace& place : FindDevPlaces(DevBase(context))) {
    if (place.running) RETURN_IF_ERROR(StopOne(context, place));
  }
  return kOk;
}

absl::StatusOr<int> DevLogs(Context& context, bool follow) {
  ASSIGN_OR_RETURN(const DevPlace place, Chosen(context));
  std::vector<std::string> argv = {"tail", "-n", "20"};
  if (follow) argv.push_back("-F");
  std::error_code ignored;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(place.state() + "/log", ignored)) {
    if (entry.path().extension() == ".log") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  argv.insert(argv.end(), files.begin(), files.end());
  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  context.out.flush();
  execvp("tail", pointers.data());
  return absl::ErrnoToStatus(errno, "could not run tail(1) on the logs");
}

}  // namespace

void AddDev(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "dev", "Start a whole cluster on this machine; Ctrl-C removes every trace of it");
  verb->group(kStartGroup);
  verb->require_subcommand(0, 1);
  verb->add_option("--agents", options->dev.agents, "How many agents")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  verb->add_option("--cpus", options->dev.cpus,
                   "Cpus of each agent; default: all of the machine, so that they are overbooked")
      ->type_name("CPUS");
  verb->add_option("--mem", options->dev.mem,
                   "Memory of each agent, as in 4GiB; default: an even part of the machine's")
      ->type_name("SIZE");
  verb->add_option("--keep", options->dev.keep,
                   "Keep registry, sandboxes and logs in that directory, and go on from there")
      ->type_name("DIR");
  verb->add_flag("-d,--detach", options->detach, "Leave it running; `proffer dev stop` ends it");
  verb->callback([&session, options] {
    if (session.action != nullptr) return;
    session.action = [&session, options]() -> absl::StatusOr<int> {
      Context& context = session.context;
      if (options->detach) return Detach(context, *options);
      return RunCluster(context, *options, context.out, context.err, Style::ForOut(context), [] {});
    };
  });
  CLI::App* status = verb->add_subcommand("status", "Which dev clusters run");
  status->callback(
      [&session] { session.action = [&session] { return DevStatus(session.context); }; });
  CLI::App* stop = verb->add_subcommand("stop", "Stop the dev cluster and clean up");
  stop->add_flag("--all", options->all, "All of yours");
  stop->callback([&session, options] {
    session.action = [&session, options] { return DevStop(session.context, options->all); };
  });
  CLI::App* logs = verb->add_subcommand("logs", "What master and agents said");
  logs->add_flag("-f,--follow", options->follow, "Go on with what they say from now on");
  logs->callback([&session, options] {
    session.action = [&session, options] { return DevLogs(session.context, options->follow); };
  });
}

}  // namespace proffer::cli
