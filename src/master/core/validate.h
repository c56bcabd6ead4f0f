// Checks of what comes from outside, each with a reason as its answer. Nothing here changes
// anything, except that new names of resources and roles become known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"

namespace proffer::master {

struct World;
struct Framework;

model::Outcome ValidateHello(World& world, const model::AgentHello& hello);
model::Outcome ValidateSummary(World& world, const model::TaskSummary& summary);

model::Outcome ValidateSubscribe(World& world, const std::string& principal,
                                 const model::Subscribe& subscribe);
model::Outcome ValidateRoles(const std::vector<std::string>& roles,
                             const std::vector<std::string>& suppressed);
// Whether there is room for these names, if they are new.
model::Outcome ValidateNewRoles(World& world, const std::vector<std::string>& roles);
// Whether the framework has every one of these roles.
model::Outcome ValidateOwnRoles(const Framework& framework, const std::vector<std::string>& roles);
model::Outcome ValidateDemand(World& world, const Framework& framework,
                              const model::SetDemand& set);

// `pool`: what is left of the offers.
model::Outcome ValidateTask(Framework& framework, const model::TaskSpec& task,
                            const Resources& pool);
// The refusal time asked for, within bounds, or why not.
model::Outcome ValidateRefusal(std::optional<int64_t> refuse_ms);

}  // namespace proffer::master
