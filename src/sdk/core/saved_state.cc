// The keys and texts of a scheduler's saved state.
#include "sdk/core/saved_state.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"

namespace proffer::sdk {
namespace {

constexpr char kFrameworkKey[] = "framework_id";
constexpr char kClusterKey[] = "cluster_id";
constexpr char kInstanceKey[] = "instance";
constexpr char kIntentPrefix[] = "intent/";

absl::Status Damaged(const std::string& key, absl::string_view expected, const std::string& found) {
  return absl::DataLossError(absl::StrCat("the saved state is damaged at key \"", key,
                                          "\": expected ", expected, ", found \"", found,
                                          "\"; restore it, or remove it to begin anew"));
}

}  // namespace

Change PutFramework(const model::FrameworkId& id) { return {kFrameworkKey, id.value()}; }

Change RemoveFramework() { return {kFrameworkKey, std::nullopt}; }

Change PutCluster(const std::string& id) { return {kClusterKey, id}; }

Change RemoveCluster() { return {kClusterKey, std::nullopt}; }

Change PutInstance(uint64_t instance) { return {kInstanceKey, absl::StrCat(instance)}; }

Change RemoveInstance() { return {kInstanceKey, std::nullopt}; }

Change PutIntent(const Intent& intent) {
  return {absl::StrCat(kIntentPrefix, intent.task.value()),
          absl::StrCat(intent.intent_id, " ", intent.agent.value())};
}

Change RemoveIntent(const model::TaskId& task) {
  return {absl::StrCat(kIntentPrefix, task.value()), std::nullopt};
}

absl::StatusOr<SavedState> ParseSavedState(const std::map<std::string, std::string>& entries) {
  SavedState state;
  for (const auto& [key, value] : entries) {
    if (key == kFrameworkKey) {
      if (value.empty()) return Damaged(key, "an id", value);
      state.framework = model::FrameworkId(value);
      continue;
    }
    if (key == kClusterKey) {
      if (value.empty()) return Damaged(key, "an id", value);
      state.cluster_id = value;
      continue;
    }
    if (key == kInstanceKey) {
      if (!absl::SimpleAtoi(value, &state.instance)) return Damaged(key, "a number", value);
      continue;
    }
    absl::string_view task = key;
    if (!absl::ConsumePrefix(&task, kIntentPrefix)) {
      return Damaged(key, "no such key", value);
    }
    const size_t blank = value.find(' ');
    if (task.empty() || blank == std::string::npos || blank == 0) {
      return Damaged(key, "\"<intent id> <agent id>\"", value);
    }
    state.intents.push_back({model::TaskId(std::string(task)), value.substr(0, blank),
                             model::AgentId(value.substr(blank + 1))});
  }
  return state;
}

}  // namespace proffer::sdk
