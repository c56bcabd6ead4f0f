// Questions about tasks, answered without guessing: what a new leader cannot know yet is called
// that, never lost.
//
// An answer may be as large as the cluster, so it is told in parts: after so many statuses the
// framework is sent a heartbeat, and gets more when it has answered. One that never answers gets
// more with every regular heartbeat.
#pragma once

#include <cstdint>
#include <vector>

#include "common/model/scheduler_protocol.h"
#include "master/core/tasks.h"

namespace proffer::master {

struct World;
struct Framework;

struct Question {
  enum class About { kUnacknowledged, kAll, kNamed };
  About about = About::kAll;
  uint64_t call_id = 0;
  std::vector<model::Reconcile::Task> named;
  size_t answered = 0;    // Of those named.
  TaskRowKey told_up_to;  // Of all rows: the last one looked at.
  std::vector<model::CallResult::Item> items;
};

void ReconcileCalled(World& world, Framework& framework, uint64_t call_id,
                     const model::Reconcile& reconcile);
// Whatever the former instance was not able to acknowledge is told again.
void RepeatUnacknowledged(World& world, Framework& framework);
// The framework has taken what it was told so far, or is taken to have done so.
void ContinueAnswers(World& world, Framework& framework);

}  // namespace proffer::master
