// What judges keep of the true story of attempts.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/world/observer.h"

namespace proffer::sim {

// The true story of every attempt, as the kernels of the machines saw it.
class Truth : public Observer {
 public:
  struct Attempt {
    std::string machine;
    model::LaunchTask launch;
    int starts = 0;
    std::optional<TrueEnd> end;
    bool lives() const { return starts > 0 && !end.has_value(); }
  };

  void Started(const std::string& machine, const model::LaunchTask& launch) override {
    Attempt& attempt = attempts_[launch.attempt];
    attempt.machine = machine;
    attempt.launch = launch;
    ++attempt.starts;
  }
  void Ended(const std::string&, const model::AttemptId& id, const TrueEnd& end) override {
    attempts_[id].end = end;
  }

  // Null: never started.
  const Attempt* Find(const model::AttemptId& id) const {
    const auto it = attempts_.find(id);
    return it == attempts_.end() ? nullptr : &it->second;
  }
  const std::map<model::AttemptId, Attempt>& all() const { return attempts_; }

 private:
  std::map<model::AttemptId, Attempt> attempts_;
};

}  // namespace proffer::sim
