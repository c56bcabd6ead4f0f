// An allocator on a stage: commands as text, names for numbers, and what a core would remember
// about outstanding grants.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "allocator/allocator.h"
#include "support/scenario.h"

namespace proffer::allocator {

class Stage {
 public:
  Stage();

  // See tests/data/allocator/ for the language.
  void Perform(const testing::ScenarioCommand& command, std::string* output);

 private:
  Amounts Parse(const std::string& text);
  std::vector<Portion> ParsePortions(const std::string& text);
  std::string Print(const Amounts& amounts) const;
  std::string Print(absl::Span<const Portion> portions) const;
  void Explain(const Explanation& e, std::string* output) const;
  std::string Percent(int64_t share) const;

  AgentIndex AgentOf(const std::string& name) const;
  FrameworkIndex FrameworkOf(const std::string& name) const;
  std::vector<RoleIndex> RolesOf(const std::vector<std::string>& words, size_t from);
  std::optional<Grant> TakeGrant(const testing::ScenarioCommand& command, std::string* output);
  AgentFacts FactsOf(const testing::ScenarioCommand& command) const;
  void SetDemand(const testing::ScenarioCommand& command, bool keep);
  void Decline(const testing::ScenarioCommand& command, std::string* output);
  void Accept(const testing::ScenarioCommand& command, std::string* output);

  Options options_;
  Allocator allocator_;
  Time now_;
  std::vector<std::string> agents_;
  std::vector<std::string> frameworks_;
  std::vector<Grant> open_grants_;
};

}  // namespace proffer::allocator
