// How a master that does not lead says who does: the status is UNAVAILABLE, and the trailing
// metadata "proffer-leader" of the call holds the leader's addresses, separated by commas.
#pragma once

#include <string>
#include <vector>

#include "common/rpc/address.h"
#include "grpcpp/client_context.h"

namespace proffer::rpc {

inline constexpr char kLeaderMetadata[] = "proffer-leader";

std::string PrintAddresses(const std::vector<Address>& addresses);

// Who was said to lead, by the call that ended in this context; nobody, as a rule.
std::vector<Address> LeaderHint(const grpc::ClientContext& context);

}  // namespace proffer::rpc
