#include "cli/views.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/amounts.h"
#include "cli/describe.h"
#include "cli/duration.h"
#include "proffer/quantity.h"

namespace proffer::cli {
namespace {

using Cell = Table::Cell;
using Column = Table::Column;
constexpr Table::Align kRight = Table::Align::kRight;
constexpr Table::Paint kDim = Table::Paint::kDim;

std::string Amount(const Amounts& amounts, const std::string& name) {
  const int64_t count = Of(amounts, name);
  return count == 0 ? "" : HumanAmount(name, count);
}

// "1.5 of 4"
std::string UsedOf(const Amounts& used, const Amounts& total, const std::string& name) {
  if (Of(total, name) == 0) return "";
  return absl::StrCat(HumanAmount(name, Of(used, name)), " of ",
                      HumanAmount(name, Of(total, name)));
}

std::string Age(int64_t since_unix_ms, int64_t now_unix_ms) {
  return since_unix_ms == 0 ? "" : PrintDuration(now_unix_ms - since_unix_ms);
}

std::string Plain(int64_t number) { return absl::StrCat(number); }

std::string AttributeText(const google::protobuf::RepeatedPtrField<v1::Attribute>& attributes) {
  std::vector<std::string> texts;
  for (const v1::Attribute& attribute : attributes) {
    std::string value = attribute.text();
    if (attribute.has_thousandths()) value = PrintScalar(kCpus, attribute.thousandths());
    if (attribute.has_ranges()) {
      std::vector<std::string> ranges;
      for (const v1::Range& range : attribute.ranges().ranges()) {
        ranges.push_back(absl::StrCat(range.first(), "-", range.last()));
      }
      value = absl::StrCat("[", absl::StrJoin(ranges, ","), "]");
    }
    texts.push_back(absl::StrCat(attribute.name(), ":", value));
  }
  return absl::StrJoin(texts, ";");
}

Table AgentTable(const std::vector<v1::Object>& objects, bool wide) {
  std::vector<Column> columns = {{"AGENT"},        {"STATE"},       {"TASKS", kRight},
                                 {"CPUS", kRight}, {"MEM", kRight}, {"GPUS", kRight}};
  if (wide) {
    columns.insert(columns.end(), {{"DISK", kRight},
                                   {"PORTS"},
                                   {"OFFERED"},
                                   {"REGION"},
                                   {"ZONE"},
                                   {"ATTRIBUTES"},
                                   {"VERSION"},
                                   {"ID"}});
  }
  Table table(std::move(columns));
  for (const v1::Object& object : objects) {
    const v1::AgentView& agent = object.agent();
    const Amounts used = SumOf(agent.used());
    const Amounts total = SumOf(agent.total());
    std::vector<Cell> row = {
        agent.hostname(),          Cell(StateWord(agent.state()), PaintOf(agent.state())),
        Plain(agent.tasks()),      UsedOf(used, total, kCpus),
        UsedOf(used, total, kMem), UsedOf(used, total, kGpus)};
    if (wide) {
      row.insert(row.end(), {UsedOf(used, total, kDisk), PortsOf(agent.total()),
                             HumanAmounts(SumOf(agent.offered())), agent.region(), agent.zone(),
                             AttributeText(agent.attributes()), agent.version(),
                             Cell(agent.agent_id(), kDim)});
    }
    table.Add(std::move(row));
  }
  return table;
}

Table FrameworkTable(const std::vector<v1::Object>& objects, bool wide) {
  std::vector<Column> columns = {{"FRAMEWORK"},     {"STATE"},          {"ROLES"},
                                 {"TASKS", kRight}, {"OFFERS", kRight}, {"WANTS"}};
  if (wide) {
    columns.insert(columns.end(),
                   {{"ENDED", kRight}, {"LASTS"}, {"SUPPRESSED"}, {"PRINCIPAL"}, {"URL"}, {"ID"}});
  }
  Table table(std::move(columns));
  for (const v1::Object& object : objects) {
    const v1::FrameworkView& framework = object.framework();
    int64_t wanted = 0;
    for (const v1::Demand& demand : framework.demands()) wanted += demand.count();
    std::string wants = framework.demand_declared() ? "nothing" : "its share";
    if (wanted > 0) wants = absl::StrCat(wanted, wanted == 1 ? " task" : " tasks");
    std::vector<Cell> row = {framework.name(),
                             Cell(StateWord(framework), PaintOf(framework)),
                             absl::StrJoin(framework.roles(), ","),
                             Plain(framework.live_tasks()),
                             Plain(framework.offers()),
                             wants};
    if (wide) {
      row.insert(row.end(),
                 {Plain(framework.ended_tasks()),
                  framework.ephemeral() ? std::string("while connected")
                                        : PrintDuration(framework.failover_timeout_ms()),
                  absl::StrJoin(framework.suppressed_roles(), ","), framework.principal(),
                  framework.web_url(), Cell(framework.framework_id(), kDim)});
    }
    table.Add(std::move(row));
  }
  return table;
}

Table TaskTable(const std::vector<v1::Object>& objects, bool wide, int64_t now_unix_ms) {
  // What is used stays empty, and its columns away, where nobody has asked for it.
  std::vector<Column> columns = {{"TASK"},
                                 {"STATE"},
                                 {"AGENT"},
                                 {"FRAMEWORK"},
                                 {"CPUS", kRight},
                                 {"MEM", kRight},
                                 {"CPU USED", kRight},
                                 {"MEM USED", kRight},
                                 {"AGE", kRight},
                                 {"REASON"}};
  if (wide) {
    columns.insert(columns.end(), {{"NAME"},
                                   {"ROLE"},
                                   {"OTHERS"},
                                   {"PORTS"},
                                   {"RAN", kRight},
                                   {"ATTEMPT"},
                                   {"UNACKNOWLEDGED"},
                                   {"MESSAGE"}});
  }
  Table table(std::move(columns));
  for (const v1::Object& object : objects) {
    const v1::TaskView& task = object.task();
    Amounts amounts = SumOf(task.resources());
    std::string reason = IsLive(task) ? "" : EndOf(task);
    if (task.state() == v1::FINISHED) reason.clear();
    std::vector<Cell> row = {task.task_id(),
                             Cell(StateWord(task.state()), PaintOf(task)),
                             task.hostname(),
                             task.framework_name(),
                             Amount(amounts, kCpus),
                             Amount(amounts, kMem),
                             CpuUsed(task, now_unix_ms),
                             MemUsed(task),
                             Age(task.launched_unix_ms(), now_unix_ms),
                             reason};
    if (wide) {
      amounts.erase(kCpus);
      amounts.erase(kMem);
      amounts.erase(kPorts);
      const int64_t end = task.ended_unix_ms() != 0 ? task.ended_unix_ms() : now_unix_ms;
      row.insert(row.end(),
                 {task.name() == task.task_id() ? std::string() : task.name(), task.role(),
                  HumanAmounts(amounts), PortsOf(task.resources()),
                  Age(task.running_unix_ms(), end), Print(task.attempt()),
                  task.unacknowledged() ? std::string("yes") : std::string(), task.message()});
    }
    table.Add(std::move(row));
  }
  return table;
}

Table OfferTable(const std::vector<v1::Object>& objects, bool wide, int64_t now_unix_ms) {
  std::vector<Column> columns = {{"OFFER"},        {"FRAMEWORK"},   {"ROLE"},       {"AGENT"},
                                 {"CPUS", kRight}, {"MEM", kRight}, {"AGE", kRight}};
  if (wide) columns.insert(columns.end(), {{"EVERYTHING"}, {"PORTS"}});
  Table table(std::move(columns));
  for (const v1::Object& object : objects) {
    const v1::OfferView& offer = object.offer();
    const Amounts amounts = SumOf(offer.resources());
    std::vector<Cell> row = {Print(offer.id()),
                             offer.framework_name(),
                             offer.role(),
                             offer.hostname(),
                             Amount(amounts, kCpus),
                             Amount(amounts, kMem),
                             Age(offer.made_unix_ms(), now_unix_ms)};
    if (wide) row.insert(row.end(), {HumanAmounts(amounts), PortsOf(offer.resources())});
    table.Add(std::move(row));
  }
  return table;
}

Table RoleTable(const std::vector<v1::Object>& objects, bool wide) {
  std::vector<Column> columns = {{"ROLE"},          {"WEIGHT", kRight},
                                 {"SHARE", kRight}, {"FRAMEWORKS", kRight},
                                 {"CPUS", kRight},  {"MEM", kRight}};
  if (wide) columns.insert(columns.end(), {{"SHARE/WEIGHT", kRight}, {"HOLDS"}});
  Table table(std::move(columns));
  for (const v1::Object& object : objects) {
    const v1::RoleView& role = object.role();
    const Amounts held = FromMap(role.held());
    std::vector<Cell> row = {role.role(),
                             PrintScalar(kCpus, role.weight_thousandths()),
                             HumanShare(role.share()),
                             Plain(role.frameworks()),
                             Amount(held, kCpus),
                             Amount(held, kMem)};
    if (wide) row.insert(row.end(), {HumanShare(role.weighted_share()), HumanAmounts(held)});
    table.Add(std::move(row));
  }
  return table;
}

}  // namespace

void SortTasks(std::vector<v1::Object>* tasks) {
  std::stable_sort(tasks->begin(), tasks->end(), [](const v1::Object& a, const v1::Object& b) {
    const bool a_lives = IsLive(a.task());
    const bool b_lives = IsLive(b.task());
    if (a_lives != b_lives) return a_lives;
    if (a_lives) return a.task().launched_unix_ms() > b.task().launched_unix_ms();
    return a.task().ended_unix_ms() > b.task().ended_unix_ms();
  });
}

Table TableOf(v1::Kind kind, const std::vector<v1::Object>& objects, bool wide,
              int64_t now_unix_ms) {
  switch (kind) {
    case v1::AGENTS:
      return AgentTable(objects, wide);
    case v1::FRAMEWORKS:
      return FrameworkTable(objects, wide);
    case v1::TASKS:
      return TaskTable(objects, wide, now_unix_ms);
    case v1::OFFERS:
      return OfferTable(objects, wide, now_unix_ms);
    default:
      return RoleTable(objects, wide);
  }
}

}  // namespace proffer::cli
