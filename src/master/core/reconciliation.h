// Questions about tasks, answered without guessing: what a new leader cannot know yet is called
// that, never lost.
#pragma once

#include <cstdint>

#include "common/model/scheduler_protocol.h"

namespace proffer::master {

struct World;
struct Framework;

void ReconcileCalled(World& world, Framework& framework, uint64_t call_id,
                     const model::Reconcile& reconcile);

}  // namespace proffer::master
