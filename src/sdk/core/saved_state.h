// What a scheduler writes down so that its next life can go on: the framework id with the cluster
// that gave it, how many instances there have been, and an intent for every task, written before
// the task is launched and removed before its end is acknowledged. So an intent that is there
// belongs to a task whose end was never acknowledged.
//
// Stored as texts under keys: "framework_id" -> id, "cluster_id" -> id, "instance" -> decimal
// number, "intent/<task id>" -> "<intent id> <agent id>".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/ids.h"

namespace proffer::sdk {

struct Intent {
  model::TaskId task;
  std::string intent_id;
  model::AgentId agent;
  friend bool operator==(const Intent&, const Intent&) = default;
};

struct SavedState {
  model::FrameworkId framework;  // Empty: never subscribed.
  std::vector<Intent> intents;   // Ordered by task.
  std::string cluster_id;        // That the framework belongs to; empty: not known.
  uint64_t instance = 0;         // The last one that was begun.
};

// Changes one key; no value removes it.
struct Change {
  std::string key;
  std::optional<std::string> value;
  friend bool operator==(const Change&, const Change&) = default;
};

Change PutFramework(const model::FrameworkId& id);
Change RemoveFramework();
Change PutCluster(const std::string& id);
Change RemoveCluster();
Change PutInstance(uint64_t instance);
Change RemoveInstance();
Change PutIntent(const Intent& intent);
Change RemoveIntent(const model::TaskId& task);

// DATA_LOSS, naming the key, when something there was not written by these functions.
absl::StatusOr<SavedState> ParseSavedState(const std::map<std::string, std::string>& entries);

}  // namespace proffer::sdk
