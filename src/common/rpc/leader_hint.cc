#include "common/rpc/leader_hint.h"

#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace proffer::rpc {

std::string PrintAddresses(const std::vector<Address>& addresses) {
  return absl::StrJoin(addresses, ",", [](std::string* out, const Address& address) {
    out->append(address.target);
  });
}

std::vector<Address> LeaderHint(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto it = metadata.find(kLeaderMetadata);
  if (it == metadata.end()) return {};
  auto addresses = ParseAddresses(absl::string_view(it->second.data(), it->second.size()));
  return addresses.ok() ? *std::move(addresses) : std::vector<Address>();
}

}  // namespace proffer::rpc
