// proffer logs: what a task wrote.
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/describe.h"
#include "cli/exit_code.h"
#include "cli/log_stream.h"
#include "cli/names.h"
#include "common/base/mutex.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

struct Options {
  std::string task;
  bool follow = false;
  bool only_stdout = false;
  bool only_stderr = false;
  int tail = -1;
};

// A task, or a framework that has one task only.
absl::StatusOr<v1::TaskView> Find(Client& client, const std::string& name) {
  ASSIGN_OR_RETURN(const std::vector<v1::Object> tasks, client.List(v1::TASKS));
  absl::StatusOr<v1::Object> found = Resolve(tasks, name);
  if (absl::IsNotFound(found.status())) {
    std::vector<v1::Object> of_framework;
    for (const v1::Object& object : tasks) {
      if (object.task().framework_name() == name || object.task().framework_id() == name) {
        of_framework.push_back(object);
      }
    }
    if (of_framework.size() == 1) found = of_framework[0];
    if (of_framework.size() > 1) {
      return absl::FailedPreconditionError(
          absl::StrCat("framework ", name, " has ", of_framework.size(),
                       " tasks; name one of them: proffer ls tasks --all -f ", name));
    }
  }
  RETURN_IF_ERROR(found.status());
  return found->task();
}

absl::StatusOr<int> Logs(Session& session, const Options& options) {
  Context& context = session.context;
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context, session.globals));
  ASSIGN_OR_RETURN(const v1::TaskView task, Find(*client, options.task));
  Mutex mutex;  // Of the two outputs, which may be one terminal.
  const auto read = [&](v1::LogStream stream, std::ostream& to) -> absl::Status {
    LogRequest request{task.framework_id(), task.task_id(), stream, 0, options.follow};
    if (options.tail >= 0) {
      ASSIGN_OR_RETURN(request.offset, OffsetOfTail(*client, request, options.tail));
    }
    return ReadLog(*client, request, [&](absl::string_view piece) {
      MutexLock lock(&mutex);
      to.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      to.flush();
      return to.good();
    });
  };
  absl::Status of_stdout;
  absl::Status of_stderr;
  if (options.follow && !options.only_stdout && !options.only_stderr) {
    std::thread other([&] { of_stderr = read(v1::STDERR, context.err); });
    of_stdout = read(v1::STDOUT, context.out);
    other.join();
  } else {
    if (!options.only_stderr) of_stdout = read(v1::STDOUT, context.out);
    if (!options.only_stdout && of_stdout.ok()) of_stderr = read(v1::STDERR, context.err);
  }
  RETURN_IF_ERROR(of_stdout);
  RETURN_IF_ERROR(of_stderr);
  if (options.follow && context.err_is_tty) {
    const absl::StatusOr<v1::TaskView> now =
        Find(*client, absl::StrCat(task.framework_id(), "/", task.task_id()));
    if (now.ok() && !IsLive(*now)) {
      context.err << "proffer: " << now->task_id() << " ended: " << EndOf(*now) << "\n";
    }
  }
  return kOk;
}

}  // namespace

void AddLogs(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("logs", "Show what a task wrote: its stdout on ours, its stderr on ours");
  verb->group(kLookGroup);
  verb->add_option("TASK", options->task, "Its name, id, or the beginning of either")->required();
  verb->add_flag("-f,--follow", options->follow, "Go on until the task has ended");
  CLI::Option* out = verb->add_flag("--stdout", options->only_stdout, "Only its stdout");
  verb->add_flag("--stderr", options->only_stderr, "Only its stderr")->excludes(out);
  verb->add_option("-n,--tail", options->tail, "Begin with that many lines before the end")
      ->type_name("LINES")
      ->check(CLI::Range(0, 1'000'000));
  AddGlobals(verb, session, false);
  verb->callback([&session, options] {
    session.action = [&session, options] { return Logs(session, *options); };
  });
}

}  // namespace proffer::cli
