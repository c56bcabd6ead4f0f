// proffer status: the cluster on one screen, trouble first; or one thing in detail.
#include "common/base/status.h"

#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/amounts.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/describe.h"
#include "cli/duration.h"
#include "cli/exit_code.h"
#include "cli/names.h"
#include "cli/output.h"
#include "cli/views.h"
#include "proffer/quantity.h"

namespace proffer::cli {
namespace {

constexpr int64_t kLatelyMs = 10 * 60 * 1000;
constexpr size_t kShownEach = 5;  // Troubles of one sort.

struct Trouble {
  std::string what;
  std::string next;  // The command to go on with.
};

struct Picture {
  v1::Cluster cluster;
  std::vector<v1::Object> agents;
  std::vector<v1::Object> frameworks;
  std::vector<v1::Object> tasks;
};

absl::StatusOr<Picture> Look(Client& client) {
  Picture picture;
  ASSIGN_OR_RETURN(picture.cluster, client.GetCluster());
  ASSIGN_OR_RETURN(picture.agents, client.List(v1::AGENTS));
  ASSIGN_OR_RETURN(picture.frameworks, client.List(v1::FRAMEWORKS));
  ASSIGN_OR_RETURN(picture.tasks, client.List(v1::TASKS));
  return picture;
}

// The first few, and how many more there are.
void AddSome(std::vector<Trouble> found, const std::string& rest_next,
             std::vector<Trouble>* troubles) {
  const size_t count = found.size();
  for (size_t i = 0; i < count && i < kShownEach; ++i) troubles->push_back(std::move(found[i]));
  if (count > kShownEach) {
    troubles->push_back({absl::StrCat("... and ", count - kShownEach, " more"), rest_next});
  }
}

std::vector<Trouble> TroublesOf(const Picture& picture, Client& client, int64_t now_ms) {
  std::vector<Trouble> troubles;
  std::vector<Trouble> found;
  for (const v1::Object& object : picture.agents) {
    const v1::AgentView& agent = object.agent();
    if (agent.state() == v1::CONNECTED || agent.state() == v1::AGENT_GONE_STATE) continue;
    std::string what = absl::StrCat("agent ", agent.hostname(), " is ", StateWord(agent.state()));
    if (agent.state() == v1::RECOVERED) absl::StrAppend(&what, " since the master began");
    if (agent.tasks() > 0) {
      absl::StrAppend(&what, agent.tasks() == 1 ? "; its task" : "; its tasks", " may live or not");
    }
    found.push_back({what, absl::StrCat("proffer status ", agent.hostname())});
  }
  if (picture.cluster.agents_connected() == 0) {
    found.push_back({"no agent is connected: nothing can run", "proffer ls agents"});
  }
  AddSome(std::move(found), "proffer ls agents", &troubles);

  found.clear();
  for (const v1::Object& object : picture.frameworks) {
    const v1::FrameworkView& framework = object.framework();
    if (framework.removed()) continue;
    if (IsDetachedRun(framework, picture.tasks)) continue;
    if (!framework.connected()) {
      found.push_back(
          {absl::StrCat(
               "framework ", framework.name(), " is disconnected",
               framework.live_tasks() == 0
                   ? ""
                   : absl::StrCat("; its ", framework.live_tasks(),
                                  framework.live_tasks() == 1 ? " task goes on" : " tasks go on")),
           absl::StrCat("proffer status ", framework.name())});
      continue;
    }
    const bool wants = std::any_of(framework.demands().begin(), framework.demands().end(),
                                   [](const v1::Demand& demand) { return demand.count() > 0; });
    if (!wants || found.size() > kShownEach) continue;
    const absl::StatusOr<v1::ExplainResponse> why = client.Explain(framework.framework_id());
    if (!why.ok()) continue;
    const bool unmet = std::any_of(why->waiting().begin(), why->waiting().end(),
                                   [](const auto& waiting) { return waiting.unmet() > 0; });
    if (unmet) found.push_back({why->summary(), absl::StrCat("proffer why ", framework.name())});
  }
  AddSome(std::move(found), "proffer ls frameworks", &troubles);

  found.clear();
  std::set<std::string> frameworks;
  for (const v1::Object& object : picture.frameworks) {
    if (!object.framework().removed()) frameworks.insert(object.framework().framework_id());
  }
  for (const v1::Object& object : picture.tasks) {
    const v1::TaskView& task = object.task();
    const bool lost = task.state() == v1::UNREACHABLE;
    // Who ran it has heard of its end, if they are gone themselves.
    if (!lost && frameworks.count(task.framework_id()) == 0) continue;
    const bool failed =
        (task.state() == v1::FAILED || task.state() == v1::ERROR || task.state() == v1::DROPPED ||
         task.state() == v1::GONE || task.state() == v1::GONE_BY_OPERATOR) &&
        now_ms - task.ended_unix_ms() < kLatelyMs;
    if (!lost && !failed) continue;
    found.push_back(
        {lost ? absl::StrCat("task ", task.task_id(), " is on ", task.hostname(),
                             ", which cannot be reached")
              : absl::StrCat("task ", task.task_id(), " ", StateWord(task),
                             task.hostname().empty() ? "" : absl::StrCat(" on ", task.hostname()),
                             " ", PrintDuration(now_ms - task.ended_unix_ms()), " ago",
                             task.message().empty() ? "" : absl::StrCat(": ", task.message())),
         lost ? absl::StrCat("proffer status ", task.hostname())
              : absl::StrCat("proffer logs ", task.task_id())});
  }
  AddSome(std::move(found), "proffer ls tasks --all", &troubles);

  if (picture.cluster.longest_turn_ms() >= 1000) {
    troubles.push_back(
        {absl::StrCat("the master was busy for ", PrintDuration(picture.cluster.longest_turn_ms()),
                      " at a stretch; its machine is too slow or too loaded"),
         ""});
  }
  return troubles;
}

// "1.5 of 6 used, 0.5 offered", with a bar.
void PrintUse(std::ostream& out, const v1::Cluster& cluster, const std::string& name) {
  const int64_t total = Of(FromMap(cluster.total()), name);
  if (total == 0) return;
  const int64_t used = Of(FromMap(cluster.used()), name);
  const int64_t offered = Of(FromMap(cluster.offered()), name);
  constexpr int kWidth = 20;
  const int filled = static_cast<int>(
      std::min<double>(1.0, static_cast<double>(used) / static_cast<double>(total)) * kWidth);
  out << absl::StrFormat("%-11s [%s%s] %s of %s used", name, std::string(filled, '#'),
                         std::string(kWidth - filled, '.'), HumanAmount(name, used),
                         HumanAmount(name, total));
  if (offered > 0) out << ", " << HumanAmount(name, offered) << " offered";
  out << "\n";
}

std::string Counts(std::vector<std::pair<int64_t, std::string>> counts) {
  std::vector<std::string> parts;
  for (const auto& [count, word] : counts) {
    if (count > 0) parts.push_back(absl::StrCat(count, " ", word));
  }
  return parts.empty() ? "none" : absl::StrJoin(parts, ", ");
}

absl::StatusOr<int> ClusterStatus(Session& session, Client& client, Format format) {
  Context& context = session.context;
  if (!IsForPeople(format)) {
    ASSIGN_OR_RETURN(const v1::Cluster cluster, client.GetCluster());
    PrintOne(context.out, format, cluster, cluster.cluster_id());
    return kOk;
  }
  const Style style = Style::ForOut(context);
  ASSIGN_OR_RETURN(const Picture picture, Look(client));
  const v1::Cluster& cluster = picture.cluster;
  const int64_t now_ms = context.unix_now_ms();
  std::ostream& out = context.out;
  out << style.Bold(absl::StrCat("cluster ", cluster.cluster_id())) << "  master "
      << cluster.version().major() << "." << cluster.version().minor() << "."
      << cluster.version().patch() << " leads for "
      << PrintDuration(now_ms - cluster.started_unix_ms()) << " at " << client.address() << "\n";
  const std::vector<Trouble> troubles = TroublesOf(picture, client, now_ms);
  for (const Trouble& trouble : troubles) {
    out << "  " << style.Red("!") << " " << trouble.what << "\n";
    if (!trouble.next.empty()) out << "      " << style.Dim(trouble.next) << "\n";
  }
  if (troubles.empty()) out << "  " << style.Green("all is well") << "\n";
  out << "agents      "
      << Counts({{cluster.agents_connected(), "connected"},
                 {cluster.agents_disconnected(), "disconnected"},
                 {cluster.agents_unreachable(), "unreachable"}})
      << "\n";
  out << "frameworks  "
      << Counts({{cluster.frameworks_connected(), "connected"},
                 {cluster.frameworks_disconnected(), "disconnected"}})
      << "\n";
  out << "tasks       "
      << Counts({{cluster.tasks_running(), "running"},
                 {cluster.tasks_staging(), "starting"},
                 {cluster.tasks_ended(), "ended"}})
      << "\n";
  for (const char* name : {kCpus, kMem, kGpus}) PrintUse(out, cluster, name);
  return kOk;
}

// --- One thing ---

class Details {
 public:
  Details(std::ostream& out, const Style& style) : out_(out), style_(style) {}
  void Line(const std::string& name, const std::string& value) {
    if (value.empty()) return;
    out_ << "  " << style_.Dim(absl::StrFormat("%-12s", name)) << " " << value << "\n";
  }

 private:
  std::ostream& out_;
  const Style& style_;
};

void ListTasksOf(std::ostream& out, const Style& style, std::vector<v1::Object> tasks,
                 Client& client, int64_t now_ms) {
  constexpr size_t kShown = 20;
  if (tasks.empty()) return;
  SortTasks(&tasks);
  const size_t count = tasks.size();
  if (count > kShown) tasks.resize(kShown);
  client.AddUsage(&tasks);
  out << "\n";
  TableOf(v1::TASKS, tasks, false, now_ms).Print(out, style, "  ");
  if (count > kShown) {
    out << "  ... and " << count - kShown << " more: proffer ls tasks --all\n";
  }
}

void AgentStatus(Context& context, Client& client, const v1::AgentView& agent,
                 const Picture& picture) {
  const Style style = Style::ForOut(context);
  context.out << style.Bold(absl::StrCat("agent ", agent.hostname())) << "  "
              << StateWord(agent.state()) << "\n";
  Details details(context.out, style);
  details.Line("id", agent.agent_id());
  details.Line("version", agent.version());
  details.Line("region", agent.region());
  details.Line("zone", agent.zone());
  for (const v1::Attribute& attribute : agent.attributes()) {
    details.Line(attribute.name(), attribute.has_thousandths()
                                       ? PrintScalar(kCpus, attribute.thousandths())
                                       : attribute.text());
  }
  const Amounts used = SumOf(agent.used());
  const Amounts offered = SumOf(agent.offered());
  for (const auto& [name, total] : SumOf(agent.total())) {
    std::string line =
        absl::StrCat(HumanAmount(name, Of(used, name)), " of ", HumanAmount(name, total), " used");
    if (Of(offered, name) > 0) {
      absl::StrAppend(&line, ", ", HumanAmount(name, Of(offered, name)), " offered");
    }
    if (name == kPorts) absl::StrAppend(&line, "  (", PortsOf(agent.total()), ")");
    details.Line(name, line);
  }
  std::vector<v1::Object> tasks;
  for (const v1::Object& object : picture.tasks) {
    if (object.task().agent_id() == agent.agent_id() && IsLive(object.task())) {
      tasks.push_back(object);
    }
  }
  ListTasksOf(context.out, style, std::move(tasks), client, context.unix_now_ms());
}

void FrameworkStatus(Context& context, Client& client, const v1::FrameworkView& framework,
                     const Picture& picture) {
  const Style style = Style::ForOut(context);
  context.out << style.Bold(absl::StrCat("framework ", framework.name())) << "  "
              << StateWord(framework) << "\n";
  Details details(context.out, style);
  details.Line("id", framework.framework_id());
  details.Line("principal", framework.principal());
  details.Line("roles", absl::StrJoin(framework.roles(), ", "));
  details.Line("suppressed", absl::StrJoin(framework.suppressed_roles(), ", "));
  details.Line("lasts", framework.ephemeral()
                            ? std::string("while it is connected")
                            : absl::StrCat(PrintDuration(framework.failover_timeout_ms()),
                                           " without a connection"));
  details.Line("web", framework.web_url());
  details.Line("offers", absl::StrCat(framework.offers(), " open"));
  details.Line("tasks",
               absl::StrCat(framework.live_tasks(), " live, ", framework.ended_tasks(), " ended"));
  for (const v1::Demand& demand : framework.demands()) {
    if (demand.count() == 0) continue;
    details.Line("wants", absl::StrCat(demand.count(), " x ", HumanAmounts(FromMap(demand.shape())),
                                       "  role ", demand.role(), "  ",
                                       PrintConstraints(demand.constraints())));
  }
  if (!framework.demand_declared()) details.Line("wants", "what fair share gives it");
  std::vector<v1::Object> tasks;
  for (const v1::Object& object : picture.tasks) {
    if (object.task().framework_id() == framework.framework_id()) tasks.push_back(object);
  }
  ListTasksOf(context.out, style, std::move(tasks), client, context.unix_now_ms());
}

void TaskStatus(Context& context, const v1::TaskView& task) {
  const Style style = Style::ForOut(context);
  const int64_t now_ms = context.unix_now_ms();
  context.out << style.Bold(absl::StrCat("task ", task.task_id())) << "  " << StateWord(task)
              << "\n";
  Details details(context.out, style);
  if (task.name() != task.task_id()) details.Line("name", task.name());
  details.Line("framework", absl::StrCat(task.framework_name(), " (", task.framework_id(), ")"));
  details.Line("agent", absl::StrCat(task.hostname(), " (", task.agent_id(), ")"));
  details.Line("role", task.role());
  details.Line("attempt", Print(task.attempt()));
  details.Line("holds", HumanAmounts(SumOf(task.resources())));
  details.Line("uses cpu", CpuUsed(task, now_ms));
  details.Line("uses mem",
               task.usage().memory_peak_bytes() > 0
                   ? absl::StrCat(MemUsed(task), ", at most ",
                                  HumanAmount(kMem, task.usage().memory_peak_bytes()), " so far")
                   : MemUsed(task));
  if (task.usage().pids() > 0) details.Line("processes", absl::StrCat(task.usage().pids()));
  details.Line("ports", PortsOf(task.resources()));
  if (task.launched_unix_ms() > 0) {
    details.Line("launched",
                 absl::StrCat(PrintTime(task.launched_unix_ms()), "  (",
                              PrintDuration(now_ms - task.launched_unix_ms()), " ago)"));
  }
  if (task.running_unix_ms() > 0) {
    const int64_t end = task.ended_unix_ms() > 0 ? task.ended_unix_ms() : now_ms;
    details.Line("ran", PrintDuration(end - task.running_unix_ms()));
  }
  if (!IsLive(task)) details.Line("ended", EndOf(task));
  details.Line("message", task.message());
  if (task.unacknowledged()) {
    details.Line("note", "its framework has not acknowledged its last status yet");
  }
  details.Line("output", absl::StrCat("proffer logs ", task.task_id()));
}

absl::StatusOr<int> OneStatus(Session& session, Client& client, Format format,
                              const std::string& name) {
  ASSIGN_OR_RETURN(const Picture picture, Look(client));
  // A framework before a task of its own that has the same name: it shows the task too.
  std::vector<v1::Object> objects = picture.agents;
  objects.insert(objects.end(), picture.frameworks.begin(), picture.frameworks.end());
  for (const v1::Object& object : picture.tasks) {
    if (object.task().task_id() != object.task().framework_name()) objects.push_back(object);
  }
  absl::StatusOr<v1::Object> found = Resolve(objects, name);
  if (absl::IsNotFound(found.status())) found = Resolve(picture.tasks, name);
  RETURN_IF_ERROR(found.status());
  if (found->has_task()) {
    std::vector<v1::Object> one = {*found};
    client.AddUsage(&one);
    *found = one[0];
  }
  if (!IsForPeople(format)) {
    PrintOne(session.context.out, format, Inner(*found), NameOf(*found));
  } else if (found->has_agent()) {
    AgentStatus(session.context, client, found->agent(), picture);
  } else if (found->has_framework()) {
    FrameworkStatus(session.context, client, found->framework(), picture);
  } else {
    TaskStatus(session.context, found->task());
  }
  return kOk;
}

absl::StatusOr<int> Status(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client,
                   Client::Connect(session.context, session.globals));
  if (name.empty()) return ClusterStatus(session, *client, format);
  return OneStatus(session, *client, format, name);
}

}  // namespace

void AddStatus(CLI::App& app, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand(
      "status", "The cluster on one screen, or one agent, framework or task in detail");
  verb->group(kLookGroup);
  verb->add_option("NAME", *name, "An agent, framework or task: name, id, or the beginning of it");
  AddGlobals(verb, session);
  verb->callback(
      [&session, name] { session.action = [&session, name] { return Status(session, *name); }; });
}

}  // namespace proffer::cli
