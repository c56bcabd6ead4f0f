#include "master/explain.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/convert/values.h"

namespace proffer::master {
namespace {

using allocator::Allocator;
using allocator::Explanation;

// The funnel: each step says how many agents are left and how many failed there.
struct Funnel {
  v1::ExplainResponse::Waiting* out;
  int64_t left;

  void Step(const std::string& name, int64_t failed, const std::string& detail = "") {
    if (left == 0 && failed == 0) return;
    left -= failed;
    v1::ExplainResponse::Step* step = out->add_steps();
    step->set_name(name);
    step->set_passed(left);
    step->set_failed(failed);
    step->set_detail(detail);
  }
};

std::string Hostname(const ExplainBasis& basis, allocator::AgentIndex agent) {
  return agent.valid() && agent.value < basis.hostnames.size() ? basis.hostnames[agent.value] : "";
}

// What smaller shape would fit on the agent with the most room.
void AddWouldFit(const Allocator& allocator, const allocator::Amounts& shape,
                 const Explanation& explained, const std::string& hostname,
                 v1::ExplainResponse::Waiting* out) {
  if (hostname.empty() || explained.fits > 0) return;
  for (int kind = 0; kind < static_cast<int>(shape.count.size()); ++kind) {
    if (shape.count[kind] <= explained.largest_free.count[kind]) continue;
    const std::string& name = allocator.KindName(kind);
    out->add_would_fit_if(
        absl::StrCat(name, " <= ", PrintScalar(name, explained.largest_free.count[kind]),
                     " (free on ", hostname, ")"));
  }
}

void FillWaiting(const ExplainBasis& basis, const allocator::Demand& demand,
                 const Explanation& explained, v1::ExplainResponse::Waiting* out) {
  const Allocator& allocator = basis.allocator;
  out->mutable_demand()->set_role(allocator.RoleName(demand.role));
  const Quantities shape = allocator.ToQuantities(demand.shape);
  for (const auto& [name, count] : shape.items()) {
    (*out->mutable_demand()->mutable_shape())[name] = count;
  }
  out->mutable_demand()->set_count(demand.count);
  out->mutable_demand()->set_label(demand.label);
  convert::ToProto(demand.constraints, out->mutable_demand()->mutable_constraints());
  out->set_unmet(explained.unmet);
  out->set_agents(explained.agents);
  Funnel funnel{out, explained.agents};
  funnel.Step("connected", explained.inactive);
  funnel.Step("constraint", explained.constraint, PrintConstraints(demand.constraints));
  funnel.Step("big enough", explained.too_small);
  funnel.Step("not refused", explained.refused);
  for (int kind = 0; kind < static_cast<int>(explained.short_of.size()); ++kind) {
    if (demand.shape.count[kind] == 0) continue;
    const std::string& name = allocator.KindName(kind);
    funnel.Step(name, explained.short_of[kind],
                absl::StrCat("needs ", PrintScalar(name, demand.shape.count[kind])));
  }
  funnel.Step("not kept for a hungrier framework", explained.held_crumbs);
  const std::string hostname = Hostname(basis, explained.largest_free_agent);
  out->set_largest_free_agent(hostname);
  const Quantities largest_free = allocator.ToQuantities(explained.largest_free);
  for (const auto& [name, count] : largest_free.items()) {
    (*out->mutable_largest_free())[name] = count;
  }
  AddWouldFit(allocator, demand.shape, explained, hostname, out);
}

// The step at which most agents fail, in words.
std::string Culprit(const v1::ExplainResponse::Waiting& waiting) {
  if (waiting.agents() == 0) return "there is no agent in the cluster";
  const v1::ExplainResponse::Step* worst = nullptr;
  for (const v1::ExplainResponse::Step& step : waiting.steps()) {
    if (worst == nullptr || step.failed() > worst->failed()) worst = &step;
  }
  if (worst == nullptr || worst->failed() == 0) return "it fits now and will be offered next";
  return absl::StrCat(worst->failed(), " of ", waiting.agents(),
                      " agents fail at: ", worst->name());
}

void AddNotes(const Explanation& explained, const std::string& role, v1::ExplainResponse* out) {
  if (!explained.active) out->add_notes("it is not connected, so nothing is offered to it");
  if (explained.suppressed) {
    out->add_notes(absl::StrCat("it has suppressed offers for role ", role));
  }
  if (explained.capped) {
    out->add_notes("it holds as many unanswered offers as it may; it must answer some first");
  }
  if (explained.hungrier_clients > 0) {
    out->add_notes(absl::StrCat(explained.hungrier_clients,
                                " hungrier frameworks are served before it in role ", role));
  }
}

}  // namespace

void ExplainFramework(const ExplainBasis& basis, const v1::FrameworkView& framework,
                      v1::ExplainResponse* out) {
  out->set_framework_id(framework.framework_id());
  out->set_framework_name(framework.name());
  const auto row = basis.frameworks.find(model::FrameworkId(framework.framework_id()));
  if (row == basis.frameworks.end()) {
    out->set_summary(absl::StrCat(
        "framework ", framework.name(),
        framework.removed() ? " has ended" : " has only just come; ask again in a second"));
    return;
  }
  // Interning a role's name is not const, so a copy; it shares what is large.
  Allocator allocator = basis.allocator;
  const allocator::FrameworkIndex index = row->second.index;
  for (const std::string& role : row->second.roles) {
    const Explanation explained =
        allocator.ExplainRole(index, allocator.InternRole(role), basis.now);
    out->set_share(std::max(out->share(), explained.share));
    out->set_role_share(std::max(out->role_share(), explained.role_share));
  }
  const absl::Span<const allocator::Demand> demands = allocator.demands(index);
  int64_t unmet = 0;
  for (int i = 0; i < static_cast<int>(demands.size()); ++i) {
    if (demands[i].count == 0) continue;
    const Explanation explained = allocator.Explain(index, i, basis.now);
    unmet += explained.unmet;
    FillWaiting(basis, demands[i], explained, out->add_waiting());
    if (i == 0) AddNotes(explained, allocator.RoleName(demands[i].role), out);
  }
  if (unmet > 0) {
    out->set_summary(absl::StrCat(framework.name(), " waits for room for ", unmet,
                                  unmet == 1 ? " task: " : " tasks: ", Culprit(out->waiting(0))));
    return;
  }
  if (framework.demand_declared()) {
    out->set_summary(absl::StrCat(framework.name(), " wants nothing more than it has"));
    return;
  }
  // It did not say what it wants: the reasons are those of its roles.
  for (const std::string& role : row->second.roles) {
    const Explanation explained =
        allocator.ExplainRole(index, allocator.InternRole(role), basis.now);
    AddNotes(explained, role, out);
    out->add_notes(absl::StrCat("role ", role, ": ", explained.fits, " of ", explained.agents,
                                " agents have something that could be offered, ", explained.refused,
                                " are refused by it"));
  }
  out->set_summary(
      absl::StrCat(framework.name(), " has not said what it wants; it is offered its fair share"));
}

}  // namespace proffer::master
