// What really happened to tasks, seen from outside of all cores: the truth that judges compare the
// system's words with.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/model/ids.h"
#include "common/model/task.h"
#include "sim/world.h"

namespace proffer::sim {

class Witness {
 public:
  explicit Witness(World* world) : world_(world) {}

  // A container was started. At most once an attempt (T1).
  void Started(const model::AttemptId& attempt, const model::TaskId& task);
  void Ended(const model::AttemptId& attempt);

  // A scheduler was told. Terminal words must be true when they are said (T3), and RUNNING implies
  // a start (T4); terminal is final (T6).
  void Told(const model::FrameworkId& framework, const model::TaskStatus& status);
  // A framework's user was told how a submitted task ended.
  void Result(const std::string& framework, uint64_t handle, const model::TaskStatus& status);

  int64_t starts() const { return static_cast<int64_t>(life_.size()); }
  int64_t living() const;

 private:
  struct Life {
    bool ended = false;
  };
  World* const world_;
  std::map<model::AttemptId, Life> life_;
  std::map<model::AttemptId, model::TaskState> last_word_;
  std::map<std::pair<std::string, uint64_t>, model::TaskState> results_;
};

}  // namespace proffer::sim
