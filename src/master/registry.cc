#include "master/registry.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/simulation.h"
#include "common/base/status.h"
#include "common/convert/agent.h"
#include "common/convert/record.h"
#include "common/convert/scheduler.h"
#include "common/convert/values.h"
#include "proffer/internal/registry.pb.h"

namespace proffer::master {
namespace {

constexpr char kClusterKey[] = "cluster";
constexpr char kEpochKey[] = "epoch";
constexpr uint32_t kVersion = 1;

std::string Seal(absl::string_view type, const google::protobuf::Message& message) {
  return convert::SealRecord(type, kVersion, message.SerializeAsString());
}

struct Sealed {
  std::optional<std::string> operator()(const AgentRecord& r) const {
    internal::AgentRecord out;
    out.set_agent_id(r.id.value());
    out.set_state(static_cast<internal::AgentRecord::State>(r.state));
    convert::ToProto(r.info, out.mutable_info());
    return Seal("agent", out);
  }
  std::optional<std::string> operator()(const FrameworkRecord& r) const {
    internal::FrameworkRecord out;
    convert::ToProto(r.info, out.mutable_info());
    out.set_principal(r.principal);
    out.set_removed(r.removed);
    out.set_disconnected_for_ms(r.disconnected_for_ms);
    return Seal("framework", out);
  }
  std::optional<std::string> operator()(const WeightRecord& r) const {
    internal::WeightRecord out;
    out.set_role(r.role);
    out.set_weight_thousandths(r.weight_milli);
    return Seal("weight", out);
  }
  std::optional<std::string> operator()(const FrameworkForgotten&) const { return std::nullopt; }
};

template <typename M>
absl::StatusOr<M> Parse(const std::string& key, const convert::OpenedRecord& record) {
  M message;
  if (!message.ParseFromString(record.payload)) {
    return absl::DataLossError(absl::StrCat("record \"", key, "\" cannot be parsed"));
  }
  return message;
}

absl::Status Apply(const std::string& key, const convert::OpenedRecord& record, TakenOver* out) {
  if (record.version > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("record \"", key, "\" is of version ", record.version, ", this build knows ",
                     kVersion, "; it was written by a newer master"));
  }
  if (record.type == "cluster") {
    ASSIGN_OR_RETURN(auto cluster, Parse<internal::ClusterRecord>(key, record));
    out->cluster_id = cluster.cluster_id();
  } else if (record.type == "epoch") {
    ASSIGN_OR_RETURN(auto epoch, Parse<internal::EpochRecord>(key, record));
    out->epoch = epoch.epoch();
  } else if (record.type == "agent") {
    ASSIGN_OR_RETURN(auto agent, Parse<internal::AgentRecord>(key, record));
    ASSIGN_OR_RETURN(model::AgentInfo info, convert::FromProto(agent.info()));
    out->registry.Apply(AgentRecord{
        model::AgentId(agent.agent_id()),
        convert::EnumFrom(agent.state(), 3, AgentRecord::State::kAdmitted), std::move(info)});
  } else if (record.type == "framework") {
    ASSIGN_OR_RETURN(auto framework, Parse<internal::FrameworkRecord>(key, record));
    out->registry.Apply(FrameworkRecord{convert::FromProto(framework.info()), framework.principal(),
                                        framework.removed(), framework.disconnected_for_ms()});
  } else if (record.type == "weight") {
    ASSIGN_OR_RETURN(auto weight, Parse<internal::WeightRecord>(key, record));
    out->registry.Apply(WeightRecord{weight.role(), weight.weight_thousandths()});
  } else {
    return absl::FailedPreconditionError(
        absl::StrCat("record \"", key, "\" is of unknown type \"", record.type,
                     "\"; it was written by a newer master, or the store is not a registry"));
  }
  return absl::OkStatus();
}

absl::StatusOr<TakenOver> Read(Store* store) {
  ASSIGN_OR_RETURN(auto records, store->ReadAll());
  TakenOver out;
  for (const auto& [key, bytes] : records) {
    ASSIGN_OR_RETURN(convert::OpenedRecord record, convert::OpenRecord(key, bytes));
    RETURN_IF_ERROR(Apply(key, record, &out));
  }
  return out;
}

}  // namespace

Mutation ToMutation(const Record& record) { return {KeyOf(record), std::visit(Sealed{}, record)}; }

absl::StatusOr<TakenOver> TakeOver(Store* store, const std::string& new_cluster_id) {
  // One process has the store open, so reading, raising and serving need no second read.
  ASSIGN_OR_RETURN(TakenOver out, Read(store));
  if (out.cluster_id.empty() && (out.epoch != 0 || !out.registry.agents.empty())) {
    return absl::DataLossError("the registry has records but no cluster id; it is not whole");
  }
  std::vector<Mutation> batch;
  if (out.cluster_id.empty()) {
    out.cluster_id = new_cluster_id;
    internal::ClusterRecord cluster;
    cluster.set_cluster_id(new_cluster_id);
    batch.push_back({kClusterKey, Seal("cluster", cluster)});
  }
  if (out.epoch == 0 || !MUTANT("epoch-not-raised")) ++out.epoch;
  internal::EpochRecord epoch;
  epoch.set_epoch(out.epoch);
  batch.push_back({kEpochKey, Seal("epoch", epoch)});
  RETURN_IF_ERROR(Annotate(store->Write(batch), "raise the epoch"));
  return out;
}

}  // namespace proffer::master
