#include "master/registry.h"

#include <optional>
#include <utility>
#include <vector>

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
    out.set_instance(r.instance);
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
                                        framework.removed(), framework.disconnected_for_ms(),
                                        framework.instance()});
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

absl::StatusOr<TakenOver> ReadRecords(Store* store) {
  ASSIGN_OR_RETURN(auto records, store->ReadAll());
  TakenOver out;
  for (const auto& [key, bytes] : records) {
    ASSIGN_OR_RETURN(convert::OpenedRecord record, convert::OpenRecord(key, bytes));
    RETURN_IF_ERROR(Apply(key, record, &out));
  }
  return out;
}

// Adds that record to `out`; false when there is none.
absl::StatusOr<bool> ReadOne(Store* store, const std::string& key, TakenOver* out) {
  ASSIGN_OR_RETURN(std::optional<std::string> bytes, store->Read(key));
  if (!bytes) return false;
  ASSIGN_OR_RETURN(convert::OpenedRecord record, convert::OpenRecord(key, *bytes));
  RETURN_IF_ERROR(Apply(key, record, out));
  return true;
}

// A cluster that begins has nothing in its store. Looked at before anything is written: afterwards
// nothing would tell a registry that has lost its first records from one that is whole.
absl::Status RequireEmpty(Store* store) {
  ASSIGN_OR_RETURN(auto records, store->ReadAll());
  if (records.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the registry has ", records.size(), " records, the first of them \"", records[0].first,
      "\", but neither a cluster id nor an epoch; it is not whole, restore it from a backup"));
}

}  // namespace

Mutation ToMutation(const Record& record) { return {KeyOf(record), std::visit(Sealed{}, record)}; }

absl::StatusOr<TakenOver> TakeOver(Store* store, const ClusterChoice& choice) {
  TakenOver before;
  ASSIGN_OR_RETURN(const bool has_cluster, ReadOne(store, kClusterKey, &before));
  ASSIGN_OR_RETURN(const bool has_epoch, ReadOne(store, kEpochKey, &before));
  // Both are written by one write, and never deleted.
  if (has_cluster != has_epoch || before.cluster_id.empty() == has_cluster) {
    return absl::DataLossError(absl::StrCat("the registry has ", has_cluster ? "a" : "no",
                                            " cluster id and ", has_epoch ? "an" : "no",
                                            " epoch; it is not whole, restore it from a backup"));
  }
  std::vector<Mutation> batch;
  if (!has_cluster) {
    RETURN_IF_ERROR(RequireEmpty(store));
    before.cluster_id = choice.id;
    internal::ClusterRecord cluster;
    cluster.set_cluster_id(choice.id);
    batch.push_back({kClusterKey, Seal("cluster", cluster)});
  } else if (choice.no_other && before.cluster_id != choice.id) {
    return absl::FailedPreconditionError(
        absl::StrCat("the registry is that of cluster ", before.cluster_id, ", not of ", choice.id,
                     "; name the right cluster, or the right place of the registry"));
  }
  const uint64_t raised =
      before.epoch == 0 || !MUTANT("epoch-not-raised") ? before.epoch + 1 : before.epoch;
  internal::EpochRecord epoch;
  epoch.set_epoch(raised);
  batch.push_back({kEpochKey, Seal("epoch", epoch)});
  // From here on no former leader can change what is about to be read.
  RETURN_IF_ERROR(Annotate(store->Write(batch), "raise the epoch"));
  ASSIGN_OR_RETURN(TakenOver out, ReadRecords(store));
  if (out.cluster_id != before.cluster_id || out.epoch != raised) {
    return absl::AbortedError(absl::StrCat("epoch ", raised, " of cluster ", before.cluster_id,
                                           " was raised, but epoch ", out.epoch, " of cluster ",
                                           out.cluster_id, " is there"));
  }
  return out;
}

}  // namespace proffer::master
