// The tasks a scheduler knows, and what it has told its user about each: the place where
// repetitions are recognised and the last word on a task is made sure to be said once.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/model/scheduler_protocol.h"
#include "sdk/core/saved_state.h"

namespace proffer::sdk {

// A launch that was decided, or a task of ours that the master told about.
struct KnownTask {
  model::TaskId id;
  std::string intent_id;     // Empty for tasks that others than this scheduler launched.
  model::AttemptId attempt;  // Not valid until it is known.
  model::AgentId agent;
  model::TaskState state = model::TaskState::kUnspecified;  // As last told to the user.
  bool own = false;
  bool in_store = false;       // The intent was written.
  bool final_told = false;     // The last word was handed to the user, who may still be at it.
  uint64_t last_sequence = 0;  // The highest that was told.
  bool in_question = false;    // Asked about by name, and not spoken of since.
  uint64_t launched_on = 0;    // The stream of its accept; 0: an earlier life.
  bool kill_wanted = false;
  std::optional<int64_t> kill_grace_ms;
  uint64_t kill_sent_on = 0;  // The stream.
};

class TaskTable {
 public:
  // What a status means to the user.
  struct Meaning {
    KnownTask* task = nullptr;  // Null: not about a task that lives in this table.
    bool duplicate = false;
    bool final = false;
  };

  KnownTask* Find(const model::TaskId& id);
  // REQUIRES: no row of that id.
  KnownTask& Add(const model::TaskId& id);
  // Judges a status and takes it in as told.
  Meaning Take(const model::TaskStatus& status);
  // The user is done with the last word on that launch: forgets it, but recognises repetitions
  // for a while. True if its intent is in the store and has to be removed.
  bool Forget(const model::TaskStatus& status);

  std::map<model::TaskId, KnownTask>& rows() { return rows_; }
  const std::map<model::TaskId, KnownTask>& rows() const { return rows_; }

 private:
  // A launch whose last word was told.
  struct Ended {
    model::TaskId task;
    std::string intent_id;
    model::AttemptId attempt;
  };

  // Whether the status speaks of the launch that the row is about.
  bool IsAbout(const model::TaskStatus& status, const KnownTask& task) const;
  bool HasEnded(const model::TaskStatus& status) const;
  void RememberEnded(const model::TaskStatus& status, const KnownTask* task);

  std::map<model::TaskId, KnownTask> rows_;
  // Bounded: the oldest are forgotten first.
  std::deque<Ended> ended_;
  std::set<model::AttemptId> ended_attempts_;
  std::set<std::pair<model::TaskId, std::string>> ended_intents_;
  std::map<model::TaskId, int> ended_ids_;
};

// The states after which a scheduler hears no more of a launch.
inline bool IsFinal(model::TaskState state) {
  return model::IsTerminal(state) || state == model::TaskState::kUnknown;
}

}  // namespace proffer::sdk
