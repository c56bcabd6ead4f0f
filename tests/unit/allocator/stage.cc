// The interpreter of the allocator's scenarios.
#include "unit/allocator/stage.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "glog/logging.h"
#include "proffer/resources.h"

namespace proffer::allocator {
namespace {

using testing::ScenarioCommand;

int64_t Number(absl::string_view text) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(text, &number)) << "not a number: " << text;
  return number;
}

template <typename Names>
uint32_t IndexOf(const Names& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  CHECK(found != names.end()) << "nobody is called " << name;
  return static_cast<uint32_t>(found - names.begin());
}

template <typename Names>
uint32_t NewIndex(Names* names, const std::string& name) {
  CHECK(std::find(names->begin(), names->end(), name) == names->end()) << name << " twice";
  const auto unused = std::find(names->begin(), names->end(), "");
  if (unused == names->end()) {
    names->push_back(name);
    return static_cast<uint32_t>(names->size()) - 1;
  }
  *unused = name;
  return static_cast<uint32_t>(unused - names->begin());
}

}  // namespace

Stage::Stage() : allocator_(Options()) {}

Amounts Stage::Parse(const std::string& text) {
  const absl::StatusOr<Resources> resources = Resources::Parse(text);
  CHECK(resources.ok()) << resources.status();
  return *allocator_.Intern(resources->ToQuantities());
}

std::vector<Portion> Stage::ParsePortions(const std::string& text) {
  const absl::StatusOr<Resources> resources = Resources::Parse(text);
  CHECK(resources.ok()) << resources.status();
  std::set<std::string> roles;
  for (const Resource& resource : resources->items()) roles.insert(resource.role());
  std::vector<Portion> portions;
  for (const std::string& role : roles) {
    portions.push_back(Portion{allocator_.InternRole(role),
                               *allocator_.Intern(resources->ReservedTo(role).ToQuantities())});
  }
  return portions;
}

std::string Stage::Print(const Amounts& amounts) const {
  Amounts owed;
  for (size_t k = 0; k < amounts.count.size(); ++k) {
    owed.count[k] = std::max<int64_t>(-amounts.count[k], 0);
  }
  const std::string has = allocator_.ToQuantities(amounts + owed).ToString();
  if (owed.IsZero()) return has.empty() ? "nothing" : has;
  return absl::StrCat(has, has.empty() ? "" : ", ", "owes ",
                      allocator_.ToQuantities(owed).ToString());
}

std::string Stage::Print(absl::Span<const Portion> portions) const {
  std::vector<std::string> texts;
  for (const Portion& portion : portions) {
    texts.push_back(Print(portion.amounts));
    if (portion.reserved_to == kUnreserved) continue;
    absl::StrAppend(&texts.back(), " reserved to ", allocator_.RoleName(portion.reserved_to));
  }
  return absl::StrJoin(texts, ", ");
}

std::string Stage::Percent(int64_t share) const {
  return absl::StrFormat("%.2f%%", 100.0 * static_cast<double>(share) / kShareUnit);
}

AgentIndex Stage::AgentOf(const std::string& name) const {
  return AgentIndex(IndexOf(agents_, name));
}

FrameworkIndex Stage::FrameworkOf(const std::string& name) const {
  return FrameworkIndex(IndexOf(frameworks_, name));
}

std::vector<RoleIndex> Stage::RolesOf(const std::vector<std::string>& words, size_t from) {
  std::vector<RoleIndex> roles;
  for (size_t i = from; i < words.size(); ++i) roles.push_back(allocator_.InternRole(words[i]));
  return roles;
}

AgentFacts Stage::FactsOf(const ScenarioCommand& command) const {
  AgentFacts facts;
  facts.hostname = command.words[0];
  facts.attributes = *Attributes::Parse(command.Option("attributes"));
  return facts;
}

// The grant that `command` (framework, agent, role=...) is about; no longer open.
std::optional<Grant> Stage::TakeGrant(const ScenarioCommand& command, std::string* output) {
  const FrameworkIndex framework = FrameworkOf(command.words[0]);
  const AgentIndex agent = AgentOf(command.words[1]);
  const std::string role = command.Option("role");
  for (auto grant = open_grants_.begin(); grant != open_grants_.end(); ++grant) {
    if (grant->framework != framework || grant->agent != agent) continue;
    if (!role.empty() && allocator_.RoleName(grant->role) != role) continue;
    const Grant taken = *grant;
    open_grants_.erase(grant);
    return taken;
  }
  absl::StrAppend(output, "there is no grant of ", command.words[1], " to ", command.words[0],
                  "\n");
  return std::nullopt;
}

void Stage::SetDemand(const ScenarioCommand& command, bool keep) {
  const FrameworkIndex framework = FrameworkOf(command.words[0]);
  std::vector<Demand> demands;
  if (keep) {
    const auto before = allocator_.demands(framework);
    demands.assign(before.begin(), before.end());
  }
  if (command.words.size() > 1) {
    CHECK_EQ(command.words.size(), 4u) << "demand FRAMEWORK ROLE SHAPE xCOUNT";
    Demand demand;
    demand.role = allocator_.InternRole(command.words[1]);
    demand.shape = Parse(command.words[2]);
    demand.count = Number(command.words[3].substr(1));
    const std::string constraints = command.Option("where");
    if (!constraints.empty()) {
      for (absl::string_view text : absl::StrSplit(constraints, " && ")) {
        demand.constraints.push_back(*Constraint::Parse(text));
      }
    }
    demands.push_back(std::move(demand));
  }
  allocator_.SetDemand(framework, true, std::move(demands));
}

void Stage::Decline(const ScenarioCommand& command, std::string* output) {
  const std::optional<Grant> taken = TakeGrant(command, output);
  if (!taken.has_value()) return;
  const Grant& grant = *taken;
  Amounts refused;
  for (const Portion& portion : grant.portions) refused += portion.amounts;
  allocator_.Release(grant.framework, grant.role, grant.agent, grant.portions);
  allocator_.DeclinedWhole(grant.framework, grant.role);
  const int64_t for_ms = Number(command.Option("ms", "5000"));
  if (for_ms > 0) {
    allocator_.Refuse(grant.framework, grant.role, grant.agent, refused, now_ + for_ms);
  }
  allocator_.GrantClosed(grant.framework);
}

// accept FRAMEWORK AGENT [AMOUNTS]: uses the amounts (all if not given) and releases the rest.
void Stage::Accept(const ScenarioCommand& command, std::string* output) {
  std::optional<Grant> taken = TakeGrant(command, output);
  if (!taken.has_value()) return;
  Grant& grant = *taken;
  if (command.words.size() > 2) {
    const Amounts used = Parse(command.words[2]);
    CHECK(grant.portions.size() == 1 && grant.portions[0].amounts.Contains(used));
    grant.portions[0].amounts -= used;
    allocator_.Release(grant.framework, grant.role, grant.agent, grant.portions);
  }
  allocator_.Accepted(grant.framework, grant.role);
  allocator_.GrantClosed(grant.framework);
}

void Stage::Explain(const Explanation& e, std::string* output) const {
  std::vector<std::string> lines;
  const auto count = [&](absl::string_view what, int64_t n) {
    if (n != 0) absl::StrAppend(output, "  ", what, ": ", n, "\n");
  };
  absl::StrAppend(output, "agents: ", e.agents, "\n");
  count("inactive", e.inactive);
  count("constraint", e.constraint);
  count("too small", e.too_small);
  for (size_t k = 0; k < e.short_of.size(); ++k) {
    count(absl::StrCat("short of ", allocator_.KindName(static_cast<int>(k))), e.short_of[k]);
  }
  count("refused", e.refused);
  count("crumbs kept", e.held_crumbs);
  count("fits", e.fits);
  if (e.largest_free_agent.valid()) {
    absl::StrAppend(output, "largest free: ", Print(e.largest_free), " on ",
                    agents_[e.largest_free_agent.value], "\n");
  }
  absl::StrAppend(output, e.active ? "active" : "inactive", e.suppressed ? ", suppressed" : "",
                  e.capped ? ", at its cap" : "", "; unmet ", e.unmet, ", share ", Percent(e.share),
                  ", role ", Percent(e.role_share), ", behind ", e.hungrier_clients, "\n");
}

void Stage::Perform(const ScenarioCommand& command, std::string* output) {
  const std::string& name = command.name;
  const std::vector<std::string>& words = command.words;
  if (name == "options") {
    options_ = Options();
    options_.crumb_hold_ms = Number(command.Option("crumbs", "10000"));
    options_.max_outstanding_grants = static_cast<int>(Number(command.Option("cap", "50")));
    const std::string minimum = command.Option("minimum");
    if (!minimum.empty()) {
      for (absl::string_view text : absl::StrSplit(minimum, '|')) {
        options_.minimum_allocatable.push_back(Parse(std::string(text)));
      }
    }
    allocator_ = Allocator(options_);
  } else if (name == "agent") {
    const std::vector<Portion> total = ParsePortions(words[1]);
    allocator_.AddAgent(AgentIndex(NewIndex(&agents_, words[0])), FactsOf(command), total);
  } else if (name == "update-agent") {
    const std::vector<Portion> total = ParsePortions(words[1]);
    allocator_.UpdateAgent(AgentOf(words[0]), FactsOf(command), total);
  } else if (name == "remove-agent") {
    allocator_.RemoveAgent(AgentOf(words[0]));
    agents_[AgentOf(words[0]).value].clear();
  } else if (name == "deactivate" || name == "activate") {
    allocator_.SetAgentActive(AgentOf(words[0]), name == "activate");
  } else if (name == "weight") {
    allocator_.SetWeight(allocator_.InternRole(words[0]), Number(words[1]) * 1000);
  } else if (name == "items") {
    CHECK(allocator_.MarkItems(words[0]).ok());
  } else if (name == "framework") {
    const std::vector<RoleIndex> roles = RolesOf(words, 1);
    allocator_.AddFramework(FrameworkIndex(NewIndex(&frameworks_, words[0])), roles);
  } else if (name == "roles") {
    allocator_.UpdateRoles(FrameworkOf(words[0]), RolesOf(words, 1));
  } else if (name == "remove-framework") {
    allocator_.RemoveFramework(FrameworkOf(words[0]));
    frameworks_[FrameworkOf(words[0]).value].clear();
  } else if (name == "disconnect" || name == "connect") {
    allocator_.SetFrameworkActive(FrameworkOf(words[0]), name == "connect");
  } else if (name == "demand" || name == "more-demand") {
    SetDemand(command, name == "more-demand");
  } else if (name == "no-word-on-demand") {
    allocator_.SetDemand(FrameworkOf(words[0]), false, {});
  } else if (name == "suppress") {
    allocator_.Suppress(FrameworkOf(words[0]), RolesOf(words, 1));
  } else if (name == "revive") {
    allocator_.Revive(FrameworkOf(words[0]), RolesOf(words, 1));
  } else if (name == "hold" || name == "end") {
    const std::vector<Portion> portions = ParsePortions(words[3]);
    const RoleIndex role = allocator_.InternRole(words[1]);
    name == "hold" ? allocator_.Hold(FrameworkOf(words[0]), role, AgentOf(words[2]), portions)
                   : allocator_.Release(FrameworkOf(words[0]), role, AgentOf(words[2]), portions);
  } else if (name == "decline") {
    Decline(command, output);
  } else if (name == "accept") {
    Accept(command, output);
  } else if (name == "wait") {
    now_ = now_ + Number(words[0]);
  } else if (name == "allocate") {
    std::vector<Grant> grants;
    allocator_.Allocate(now_, &grants);
    for (const Grant& grant : grants) {
      absl::StrAppend(output, frameworks_[grant.framework.value], " (",
                      allocator_.RoleName(grant.role), ") <- ", agents_[grant.agent.value], ": ",
                      Print(grant.portions), "\n");
      open_grants_.push_back(grant);
    }
    if (grants.empty()) absl::StrAppend(output, "no grants\n");
  } else if (name == "deadline") {
    const Time next = allocator_.NextDeadline();
    absl::StrAppend(output, next.IsNever() ? "never" : absl::StrCat("in ", next - now_, " ms"),
                    "\n");
  } else if (name == "shares") {
    for (const RoleShare& share : allocator_.RoleShares()) {
      absl::StrAppend(output, allocator_.RoleName(share.role), ": ", Percent(share.share),
                      ", weighted ", Percent(share.weighted_share), ", held ", Print(share.held),
                      "\n");
    }
  } else if (name == "held") {
    absl::StrAppend(output,
                    Print(allocator_.Held(FrameworkOf(words[0]), allocator_.InternRole(words[1]))),
                    "\n");
  } else if (name == "free") {
    absl::StrAppend(
        output,
        Print(allocator_.Free(AgentOf(words[0]),
                              allocator_.InternRole(words.size() > 1 ? words[1] : "*"))),
        "\n");
  } else if (name == "unmet") {
    for (const Demand& demand : allocator_.demands(FrameworkOf(words[0]))) {
      absl::StrAppend(output, demand.count, " x ", Print(demand.shape), "\n");
    }
  } else if (name == "explain") {
    Explain(allocator_.Explain(FrameworkOf(words[0]), static_cast<int>(Number(words[1])), now_),
            output);
  } else if (name == "explain-role") {
    Explain(allocator_.ExplainRole(FrameworkOf(words[0]), allocator_.InternRole(words[1]), now_),
            output);
  } else {
    LOG(FATAL) << "unknown command " << name;
  }
  allocator_.CheckInvariants();
}

}  // namespace proffer::allocator
