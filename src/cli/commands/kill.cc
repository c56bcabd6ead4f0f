// proffer kill: ends a task, or a framework with all its tasks.
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/describe.h"
#include "cli/duration.h"
#include "cli/exit_code.h"
#include "cli/names.h"
#include "cli/output.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

struct Options {
  std::string name;
  std::string grace;
  bool yes = false;
};

// What lives is meant before what has ended.
absl::StatusOr<v1::Object> Find(Client& client, const std::string& name) {
  ASSIGN_OR_RETURN(const std::vector<v1::Object> frameworks, client.List(v1::FRAMEWORKS));
  ASSIGN_OR_RETURN(const std::vector<v1::Object> tasks, client.List(v1::TASKS));
  std::vector<v1::Object> live;
  for (const v1::Object& object : frameworks) {
    if (!object.framework().removed()) live.push_back(object);
  }
  std::vector<v1::Object> all = live;
  for (const v1::Object& object : tasks) {
    // A framework of one task of its own name, as `run -d` makes, is ended as a whole.
    const v1::TaskView& task = object.task();
    const bool same =
        task.task_id() == task.framework_name() &&
        std::any_of(frameworks.begin(), frameworks.end(), [&](const v1::Object& framework) {
          return framework.framework().framework_id() == task.framework_id() &&
                 !framework.framework().removed();
        });
    if (same) continue;
    all.push_back(object);
    if (IsLive(task)) live.push_back(object);
  }
  const absl::StatusOr<v1::Object> found = Resolve(live, name);
  return absl::IsNotFound(found.status()) ? Resolve(all, name) : found;
}

absl::StatusOr<int> Kill(Session& session, const Options& options) {
  Context& context = session.context;
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  v1::KillTaskRequest request;
  if (!options.grace.empty()) {
    ASSIGN_OR_RETURN(const int64_t grace_ms, ParseDuration(options.grace));
    request.set_grace_ms(grace_ms);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context, session.globals));
  ASSIGN_OR_RETURN(const v1::Object object, Find(*client, options.name));
  std::string said;
  if (object.has_framework()) {
    const v1::FrameworkView& framework = object.framework();
    if (request.has_grace_ms()) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", framework.name(), "\" is a framework; --grace goes with tasks only"));
    }
    const bool harmless = framework.live_tasks() <= 1;
    if (!options.yes && !harmless && context.in_is_tty) {
      ASSIGN_OR_RETURN(
          const bool sure,
          Confirm(context, absl::StrCat("End framework ", framework.name(), " and kill its ",
                                        framework.live_tasks(), " tasks?")));
      if (!sure) {
        context.err << "nothing was done\n";
        return kUnexpected;
      }
    }
    RETURN_IF_ERROR(client->Teardown(framework.framework_id()));
    said = absl::StrCat(
        "framework ", framework.name(), " is being ended",
        framework.live_tasks() == 0
            ? ""
            : absl::StrCat("; its ", framework.live_tasks(),
                           framework.live_tasks() == 1 ? " task is killed" : " tasks are killed"));
  } else {
    const v1::TaskView& task = object.task();
    if (!IsLive(task)) {
      return absl::FailedPreconditionError(absl::StrCat("task ", task.task_id(),
                                                        " has ended already (", EndOf(task),
                                                        "); nothing is left to kill"));
    }
    request.set_framework_id(task.framework_id());
    request.set_task_id(task.task_id());
    RETURN_IF_ERROR(client->KillTask(request));
    said = absl::StrCat("task ", task.task_id(), " on ", task.hostname(), " is being killed");
  }
  if (IsForPeople(format)) {
    context.out << said << "\n";
  } else {
    PrintOne(context.out, format, Inner(object), NameOf(object));
  }
  return kOk;
}

}  // namespace

void AddKill(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("kill", "End a task, or a framework with all its tasks");
  verb->group(kActGroup);
  verb->add_option("NAME", options->name,
                   "A task or framework: name, id, or the beginning of either")
      ->required();
  verb->add_option("--grace", options->grace,
                   "Between SIGTERM and SIGKILL, for instance 30s; default: the task's own")
      ->type_name("TIME");
  verb->add_flag("-y,--yes", options->yes, "Do not ask");
  AddGlobals(verb, session);
  verb->callback([&session, options] {
    session.action = [&session, options] { return Kill(session, *options); };
  });
}

}  // namespace proffer::cli
