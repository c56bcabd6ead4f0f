#include "common/model/agent_protocol.h"

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/model/ids.h"

namespace proffer::model {
namespace {

absl::Status AtMost(const char* what, size_t size, size_t most) {
  if (size <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the agent's ", what, " is ", size,
                                                 " bytes of text; at most ", most,
                                                 " are allowed; shorten it"));
}

}  // namespace

absl::Status ValidateAgentInfo(const AgentInfo& info) {
  RETURN_IF_ERROR(ValidateId("hostname", info.facts.hostname));
  RETURN_IF_ERROR(AtMost("region", info.facts.region.size(), limits::kPlaceBytes));
  RETURN_IF_ERROR(AtMost("zone", info.facts.zone.size(), limits::kPlaceBytes));
  RETURN_IF_ERROR(AtMost("list of attributes", info.facts.attributes.ToString().size(),
                         limits::kAttributesBytes));
  if (info.resources.empty()) {
    return absl::InvalidArgumentError("the agent has no resources; give some by --resources");
  }
  return AtMost("list of resources", info.resources.ToString().size(), limits::kResourcesBytes);
}

}  // namespace proffer::model
