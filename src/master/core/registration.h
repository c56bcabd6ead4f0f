// How agents come and go: hello, the pull of what they run, settling both sides' beliefs, and the
// end of a stream.
#pragma once

#include "common/model/agent_protocol.h"
#include "master/core/events.h"
#include "master/core/records.h"

namespace proffer::master {

struct World;
struct Agent;

void AgentSaidHello(World& world, StreamId stream, Time received, const model::AgentHello& hello);
void AgentReportedTasks(World& world, Agent& agent, model::TaskChunk chunk);
void AgentStreamEnded(World& world, Agent& agent);
// At the start, from the registry.
void RecoverAgent(World& world, const AgentRecord& record);
// Whether the new leader still waits for that agent's report, or for any.
bool IsAwaited(const Agent& agent);
bool AnyAwaited(const World& world);
// Tasks of an agent that was unreachable before this leader came need not have a row.
bool AnyUnreachable(const World& world);
// Refuses whatever is on the other end of a stream and closes it.
void RefuseAgent(World& world, StreamId stream, model::Refusal refusal, std::string message,
                 uint64_t after_seq = 0);

}  // namespace proffer::master
