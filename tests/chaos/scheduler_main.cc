// chaos-scheduler: one replica of a framework that submits tasks under ids that follow from a
// count, and writes down all that it does and is told, before it acts or acknowledges. What a
// former life has submitted and not seen end is submitted again: the SDK takes it up.
#include <fcntl.h>
#include <glog/logging.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "chaos/history.h"
#include "chaos/replica_store.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "proffer/framework.h"
#include "proffer/units.h"

namespace proffer::chaos {
namespace {

constexpr int64_t kBeatMs = 100;
// Twenty-five missed beats.
constexpr int64_t kStaleMs = 2'500;
constexpr int kExitStopped = 3;

struct Options {
  std::string name;
  std::string master;
  std::string directory;  // Of both replicas.
  std::string witness;    // The program.
  std::string log;        // Its history.
  std::string quiet;      // When this file is there, nothing more is submitted.
  std::string release;    // When this file is there, the long tasks end.
  bool supersede = false;
  int long_tasks = 0;
  int64_t between_ms = 0;
};

std::string CauseName(StopCause cause) {
  switch (cause) {
    case StopCause::kLeft:
      return "LEFT";
    case StopCause::kTornDown:
      return "TORN_DOWN";
    case StopCause::kSuperseded:
      return "SUPERSEDED";
    case StopCause::kRemoved:
      return "REMOVED";
    case StopCause::kRefused:
      return "REFUSED";
    case StopCause::kGaveUp:
      return "GAVE_UP";
    case StopCause::kStoreFailed:
      return "STORE_FAILED";
  }
  return "UNKNOWN";
}

class Replica {
 public:
  explicit Replica(const Options& options)
      : options_(options), life_(absl::StrCat(getpid(), "-", BootTimeNow().ms)) {}

  int Run() {
    const std::string state = options_.directory + "/state";
    const std::string beat = options_.directory + "/beat";
    const std::shared_ptr<ReplicaStore> store =
        options_.supersede ? MakeFencedStore(state, beat, kStaleMs) : MakeWaitingStore(state);
    const absl::Status acquired = store->Acquire();
    CHECK(acquired.ok()) << acquired;
    Write({.event = "leads"});
    const std::set<std::string> open = ReadHistory();
    auto framework = Framework::Start({.name = options_.name,
                                       .master = options_.master,
                                       .state_store = store,
                                       .log = [](const std::string& line) { LOG(INFO) << line; }});
    CHECK(framework.ok()) << framework.status();
    for (const std::string& id : open) Submit(framework->get(), id);
    for (int i = 0; i < options_.long_tasks; ++i) {
      const std::string id = absl::StrCat(options_.name, "-l", i);
      if (known_.count(id) == 0) Submit(framework->get(), id);
    }
    return Serve(framework->get(), beat);
  }

 private:
  int Serve(Framework* framework, const std::string& beat) {
    int64_t next_ms = BootTimeNow().ms;
    bool complete = false;
    while (true) {
      std::ofstream(beat) << life_ << "\n";
      if (const std::optional<Stopped> stopped = framework->stopped()) {
        LOG(INFO) << "stopped: " << stopped->message;
        Write({.event = "stopped", .task = CauseName(stopped->cause)});
        // Not by way of destructors: nothing more may be told in its name.
        _exit(kExitStopped);
      }
      const bool quiet = access(options_.quiet.c_str(), F_OK) == 0;
      if (!quiet && BootTimeNow().ms >= next_ms) {
        Submit(framework, absl::StrCat(options_.name, "-s", next_short_++));
        next_ms += options_.between_ms;
      }
      if (quiet && !complete && Ended()) {
        complete = true;
        Write({.event = "complete"});
      }
      usleep(static_cast<useconds_t>(kBeatMs * 1'000));
    }
  }
  // What was submitted and has not ended.
  std::set<std::string> ReadHistory() {
    std::ifstream file(options_.log);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    std::vector<std::string> bad;
    std::set<std::string> open;
    std::set<std::string> ended;
    for (const ClientLine& line : ParseClients(text, &bad)) {
      if (line.framework != options_.name) continue;
      if (line.event == "submitted") {
        open.insert(line.task);
        known_.insert(line.task);
        absl::string_view number = line.task;
        int n = 0;
        if (absl::ConsumePrefix(&number, options_.name + "-s") && absl::SimpleAtoi(number, &n)) {
          next_short_ = std::max(next_short_, n + 1);
        }
      } else if (line.event == "end") {
        ended.insert(line.task);
      }
    }
    // A replica that had lost the lead without knowing it may have submitted what had ended.
    for (const std::string& id : ended) open.erase(id);
    return open;
  }

  void Submit(Framework* framework, const std::string& id) {
    Write({.event = "submitted", .task = id});
    {
      MutexLock lock(&mutex_);
      ++running_;
    }
    int n = 0;
    const bool is_short = absl::SimpleAtoi(absl::StripPrefix(id, options_.name + "-s"), &n);
    // One in five fails, each with a code of its own.
    const int exit_code = is_short && n % 5 == 4 ? 1 + n % 90 : 0;
    const std::string life = is_short ? absl::StrCat(n * 379 % 2'500) : options_.release;
    const proffer::Run run =
        framework->Submit(Task{id}
                              .Args({options_.witness, options_.directory + "/../witness",
                                     absl::StrCat(exit_code), life})
                              .Cpus(0.1)
                              .Mem(8_MiB));
    run.OnStatus([this, id](const TaskStatus& status) {
      Write({.event = "status", .task = id, .state = std::string(Name(status.state))});
    });
    run.OnDone([this, id](const Result& result) {
      // The framework stopped first; that is no word about the task.
      if (result.state == TaskState::kUnknown && result.reason == TaskReason::kNone) return;
      Write({.event = "end",
             .task = id,
             .state = std::string(Name(result.state)),
             .reason = std::string(Name(result.reason)),
             .exit_code = result.exit_code});
      MutexLock lock(&mutex_);
      --running_;
    });
  }
  bool Ended() {
    MutexLock lock(&mutex_);
    return running_ == 0;
  }
  void Write(ClientLine line) {
    line.at_ms = BootTimeNow().ms;
    line.framework = options_.name;
    line.life = life_;
    AppendLine(options_.log, Print(line));
  }

  const Options options_;
  const std::string life_;
  std::set<std::string> known_;
  int next_short_ = 0;
  Mutex mutex_;
  int running_ GUARDED_BY_MUTEX(mutex_) = 0;
};

}  // namespace
}  // namespace proffer::chaos

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  proffer::chaos::Options options;
  CLI::App app("one replica of a framework under chaos");
  app.add_option("--name", options.name)->required();
  app.add_option("--master", options.master)->required();
  app.add_option("--directory", options.directory)->required();
  app.add_option("--witness", options.witness)->required();
  app.add_option("--history", options.log)->required();
  app.add_option("--quiet", options.quiet)->required();
  app.add_option("--release", options.release)->required();
  app.add_flag("--supersede", options.supersede);
  app.add_option("--long_tasks", options.long_tasks);
  app.add_option("--between_ms", options.between_ms)->required();
  CLI11_PARSE(app, argc, argv);
  return proffer::chaos::Replica(options).Run();
}
