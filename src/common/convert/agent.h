// The agent's control stream <-> proto, both directions of both sides.
#pragma once

#include "absl/status/statusor.h"
#include "common/model/agent_protocol.h"
#include "proffer/v1/agent.pb.h"

namespace proffer::convert {

// An arm this build does not know becomes std::monostate.
absl::StatusOr<model::AgentMessage> FromProto(const v1::AgentMessage& in);
void ToProto(const model::AgentMessage& message, v1::AgentMessage* out);

absl::StatusOr<model::AgentOrder> FromProto(const v1::AgentOrder& in);
void ToProto(const model::AgentOrder& order, v1::AgentOrder* out);

absl::StatusOr<model::AgentInfo> FromProto(const v1::AgentInfo& in);
void ToProto(const model::AgentInfo& info, v1::AgentInfo* out);

}  // namespace proffer::convert
