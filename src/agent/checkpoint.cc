#include "agent/checkpoint.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/convert/agent.h"
#include "common/convert/record.h"
#include "common/convert/task.h"
#include "proffer/internal/checkpoint.pb.h"

namespace proffer::agent {
namespace {

constexpr uint32_t kVersion = 1;

// Keys sort as the attempts do.
std::string Key(absl::string_view type, const model::AttemptId& attempt) {
  char number[48];
  std::snprintf(number, sizeof(number), "%020llu-%020llu",
                static_cast<unsigned long long>(attempt.epoch),
                static_cast<unsigned long long>(attempt.n));
  return absl::StrCat(type, "/", number);
}

std::string Seal(absl::string_view type, const google::protobuf::Message& message) {
  return convert::SealRecord(type, kVersion, message.SerializeAsString());
}

void ToProto(const Progress& in, internal::Progress* out) {
  out->set_state(convert::ToProto(in.state));
  out->set_reason(convert::ToProto(in.reason));
  out->set_message(in.message);
  out->set_started(in.started);
  out->set_kill_reason(convert::ToProto(in.kill_reason));
  out->set_kill_grace_ms(in.kill_grace_ms);
  out->set_last_sequence(in.last_sequence);
  for (const model::TaskStatus& status : in.unacknowledged) {
    convert::ToProto(status, out->add_unacknowledged());
  }
}

Progress FromProto(const internal::Progress& in) {
  Progress out;
  out.state = convert::FromProto(in.state());
  out.reason = convert::FromProto(in.reason());
  out.message = in.message();
  out.started = in.started();
  out.kill_reason = convert::FromProto(in.kill_reason());
  out.kill_grace_ms = in.kill_grace_ms();
  out.last_sequence = in.last_sequence();
  for (const v1::TaskStatus& status : in.unacknowledged()) {
    out.unacknowledged.push_back(convert::FromProto(status));
  }
  return out;
}

struct Changed {
  std::vector<Mutation>* out;

  void operator()(const IdentityRecord& r) const {
    internal::IdentityRecord message;
    message.set_cluster_id(r.cluster_id);
    message.set_agent_id(r.agent.value());
    message.set_highest_epoch(r.highest_epoch);
    message.set_boot_id(r.boot_id);
    message.set_resources_generation(r.resources_generation);
    convert::ToProto(r.total, message.mutable_total());
    message.set_gone(r.gone);
    out->push_back({"identity", Seal("identity", message)});
  }
  void operator()(const TaskRecord& r) const {
    internal::TaskRecord message;
    v1::AgentOrder order;
    convert::ToProto(model::AgentOrder(r.launch), &order);
    *message.mutable_launch() = order.launch();
    ToProto(r.progress, message.mutable_progress());
    out->push_back({Key("task", r.launch.attempt), Seal("task", message)});
  }
  void operator()(const ProgressRecord& r) const {
    internal::ProgressRecord message;
    convert::ToProto(r.attempt, message.mutable_attempt());
    ToProto(r.progress, message.mutable_progress());
    out->push_back({Key("progress", r.attempt), Seal("progress", message)});
  }
  void operator()(const Tombstone& r) const {
    internal::TombstoneRecord message;
    convert::ToProto(r.attempt, message.mutable_attempt());
    out->push_back({Key("task", r.attempt), std::nullopt});
    out->push_back({Key("progress", r.attempt), std::nullopt});
    out->push_back({Key("tombstone", r.attempt), Seal("tombstone", message)});
  }
  void operator()(const TombstonesDropped& r) const {
    for (const model::AttemptId& attempt : r.attempts) {
      out->push_back({Key("tombstone", attempt), std::nullopt});
    }
  }
};

template <typename M>
absl::StatusOr<M> Parse(const std::string& key, const convert::OpenedRecord& record) {
  M message;
  if (!message.ParseFromString(record.payload)) {
    return absl::DataLossError(absl::StrCat("record \"", key, "\" cannot be parsed"));
  }
  return message;
}

absl::StatusOr<Record> FromRecord(const std::string& key, const convert::OpenedRecord& record) {
  if (record.version > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("record \"", key, "\" is of version ", record.version, ", this build knows ",
                     kVersion, "; it was written by a newer agent"));
  }
  if (record.type == "identity") {
    ASSIGN_OR_RETURN(auto in, Parse<internal::IdentityRecord>(key, record));
    IdentityRecord out;
    out.cluster_id = in.cluster_id();
    out.agent = model::AgentId(in.agent_id());
    out.highest_epoch = in.highest_epoch();
    out.boot_id = in.boot_id();
    out.resources_generation = in.resources_generation();
    ASSIGN_OR_RETURN(out.total, convert::FromProto(in.total()));
    out.gone = in.gone();
    return Record(std::move(out));
  }
  if (record.type == "task") {
    ASSIGN_OR_RETURN(auto in, Parse<internal::TaskRecord>(key, record));
    v1::AgentOrder order;
    *order.mutable_launch() = in.launch();
    ASSIGN_OR_RETURN(model::AgentOrder launch, convert::FromProto(order));
    return Record(
        TaskRecord{std::get<model::LaunchTask>(std::move(launch)), FromProto(in.progress())});
  }
  if (record.type == "progress") {
    ASSIGN_OR_RETURN(auto in, Parse<internal::ProgressRecord>(key, record));
    return Record(ProgressRecord{convert::FromProto<model::AttemptIdTag>(in.attempt()),
                                 FromProto(in.progress())});
  }
  if (record.type == "tombstone") {
    ASSIGN_OR_RETURN(auto in, Parse<internal::TombstoneRecord>(key, record));
    return Record(Tombstone{convert::FromProto<model::AttemptIdTag>(in.attempt())});
  }
  return absl::FailedPreconditionError(
      absl::StrCat("record \"", key, "\" is of unknown type \"", record.type,
                   "\"; it was written by a newer agent, or the store is not a checkpoint"));
}

}  // namespace

std::vector<Mutation> ToMutations(const Record& record) {
  std::vector<Mutation> mutations;
  std::visit(Changed{&mutations}, record);
  return mutations;
}

absl::StatusOr<std::vector<Record>> ReadRecords(Store* store) {
  ASSIGN_OR_RETURN(auto stored, store->ReadAll());
  // The order of the keys is not that of the core: identity, tasks, progress, tombstones.
  std::vector<Record> by_type[4];
  for (const auto& [key, bytes] : stored) {
    ASSIGN_OR_RETURN(convert::OpenedRecord opened, convert::OpenRecord(key, bytes));
    ASSIGN_OR_RETURN(Record record, FromRecord(key, opened));
    by_type[record.index()].push_back(std::move(record));
  }
  std::vector<Record> records;
  for (std::vector<Record>& some : by_type) {
    std::move(some.begin(), some.end(), std::back_inserter(records));
  }
  return records;
}

}  // namespace proffer::agent
