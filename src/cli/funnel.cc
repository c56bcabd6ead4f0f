#include "cli/funnel.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/amounts.h"
#include "cli/describe.h"
#include "cli/duration.h"
#include "proffer/quantity.h"

namespace proffer::cli {
namespace {

using Waiting = v1::ExplainResponse::Waiting;
using Step = v1::ExplainResponse::Step;

std::string NeedsOf(const Waiting& waiting) {
  std::string text = HumanAmounts(FromMap(waiting.demand().shape()));
  if (!waiting.demand().role().empty()) absl::StrAppend(&text, "  role ", waiting.demand().role());
  const std::string constraints = PrintConstraints(waiting.demand().constraints());
  if (!constraints.empty()) absl::StrAppend(&text, "  ", constraints);
  return text;
}

// The step that most agents fail at: what to look at first.
int WorstStep(const Waiting& waiting) {
  int worst = -1;
  for (int i = 0; i < waiting.steps_size(); ++i) {
    if (waiting.steps(i).failed() == 0) continue;
    if (worst < 0 || waiting.steps(i).failed() > waiting.steps(worst).failed()) worst = i;
  }
  return worst;
}

std::string LargestFree(const Waiting& waiting, const std::string& step) {
  const auto it = waiting.largest_free().find(step);
  if (waiting.largest_free_agent().empty() || it == waiting.largest_free().end()) return "";
  return absl::StrCat("largest free block: ", HumanAmount(step, it->second), " on ",
                      waiting.largest_free_agent());
}

void PrintWaiting(std::ostream& out, const Style& style, const Waiting& waiting) {
  out << "  " << waiting.unmet() << (waiting.unmet() == 1 ? " task" : " tasks");
  if (!waiting.demand().label().empty()) out << " of " << waiting.demand().label();
  out << (waiting.unmet() == 1 ? " needs " : " need, each, ") << NeedsOf(waiting) << "\n";
  size_t name_width = DisplayWidth("agents");
  for (const Step& step : waiting.steps())
    name_width = std::max(name_width, DisplayWidth(step.name()));
  const std::string total = absl::StrCat(waiting.agents());
  const int worst = WorstStep(waiting);
  int64_t before = waiting.agents();
  for (int i = 0; i < waiting.steps_size(); ++i) {
    const Step& step = waiting.steps(i);
    const std::string passed = absl::StrCat(step.passed(), "/", before);
    std::string line = absl::StrFormat("    %s%s  %*s", step.name(),
                                       std::string(name_width - DisplayWidth(step.name()), ' '),
                                       static_cast<int>(2 * total.size() + 1), passed);
    std::vector<std::string> remarks;
    if (step.failed() == 0) {
      if (step.passed() > 0) remarks.push_back("ok");
    } else {
      remarks.push_back(
          absl::StrCat(step.failed(), step.failed() == 1 ? " agent fails" : " agents fail"));
      if (!step.detail().empty()) remarks.back() += absl::StrCat(": ", step.detail());
    }
    if (i == worst) {
      const std::string largest = LargestFree(waiting, step.name());
      if (!largest.empty()) remarks.push_back(largest);
    }
    absl::StrAppend(&line, "  ", i == worst ? "← " : "  ", absl::StrJoin(remarks, "; "));
    absl::StripTrailingAsciiWhitespace(&line);
    out << (i == worst ? style.Yellow(line) : line) << "\n";
    before = step.passed();
  }
  if (waiting.agents() == 0) out << "    the cluster has no agents\n";
  if (waiting.would_fit_if_size() > 0) {
    out << "  would fit if  " << absl::StrJoin(waiting.would_fit_if(), "  or  ") << "\n";
  }
}

// What to do about it.
std::string NextCommand(const v1::ExplainResponse& explanation) {
  if (explanation.has_task()) {
    const v1::TaskView& task = explanation.task();
    if (task.hostname().empty()) return "";
    return absl::StrCat("proffer logs ", task.task_id());
  }
  for (const Waiting& waiting : explanation.waiting()) {
    if (waiting.unmet() == 0) continue;
    if (waiting.agents() == 0) return "proffer ls agents";
    const int worst = WorstStep(waiting);
    if (worst < 0) continue;
    const std::string& name = waiting.steps(worst).name();
    if (name == "connected") return "proffer ls agents";
    if (name == "constraint") return "proffer ls agents -o wide";
    if (name == "not refused") return absl::StrCat("proffer status ", explanation.framework_name());
    return "proffer ls tasks";
  }
  return "";
}

}  // namespace

void PrintExplanation(std::ostream& out, const Style& style,
                      const v1::ExplainResponse& explanation) {
  out << style.Bold(explanation.summary()) << "\n";
  if (explanation.has_task()) {
    const v1::TaskView& task = explanation.task();
    const std::string end = EndOf(task);
    if (!end.empty()) out << "  ended       " << end << "\n";
    out << "  framework   " << task.framework_name() << "\n";
    out << "  holds       " << HumanAmounts(SumOf(task.resources())) << "\n";
    if (task.ended_unix_ms() > 0 && task.running_unix_ms() > 0) {
      out << "  ran         " << PrintDuration(task.ended_unix_ms() - task.running_unix_ms())
          << "\n";
    }
  }
  // Of a task that has a place, what its framework waits for besides is not the question.
  if (!explanation.has_task()) {
    for (const Waiting& waiting : explanation.waiting()) {
      if (waiting.unmet() > 0) PrintWaiting(out, style, waiting);
    }
    for (const std::string& note : explanation.notes()) out << "  note: " << note << "\n";
    out << "  it holds " << HumanShare(explanation.share()) << " of the cluster, its role "
        << HumanShare(explanation.role_share()) << "\n";
  }
  const std::string next = NextCommand(explanation);
  if (!next.empty()) out << "  try: " << next << "\n";
}

}  // namespace proffer::cli
