#include "common/zookeeper/store.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"
#include "common/base/status.h"

namespace proffer::zk {
namespace {

constexpr char kClusterKey[] = "cluster";
constexpr char kEpochKey[] = "epoch";
constexpr absl::string_view kDigits = "0123456789ABCDEF";

std::string PathOf(absl::string_view key) {
  return absl::StrCat(kRegistryPath, "/", NodeName(key));
}

std::string ClusterPath(absl::string_view id) {
  return absl::StrCat(kClusterPath, "/", NodeName(id));
}

bool Raises(const std::vector<Mutation>& batch) {
  return std::any_of(batch.begin(), batch.end(),
                     [](const Mutation& mutation) { return mutation.key == kEpochKey; });
}

bool Plain(char c) { return absl::ascii_isalnum(c) || absl::StrContains("-_.:+@=~,", c); }

}  // namespace

std::string NodeName(absl::string_view key) {
  // Names that mean something to ZooKeeper, or nothing.
  const bool reserved = key == "." || key == "..";
  if (key.empty()) return "%";
  std::string name;
  for (const char c : key) {
    if (Plain(c) && !reserved) {
      name.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      name.push_back('%');
      name.push_back(kDigits[byte >> 4]);
      name.push_back(kDigits[byte & 15]);
    }
  }
  return name;
}

absl::StatusOr<std::string> KeyOfNode(absl::string_view name) {
  std::string key;
  if (name != "%") {
    for (size_t i = 0; i < name.size(); ++i) {
      if (name[i] != '%') {
        key.push_back(name[i]);
        continue;
      }
      const size_t high = i + 2 < name.size() ? kDigits.find(name[i + 1]) : absl::string_view::npos;
      const size_t low = i + 2 < name.size() ? kDigits.find(name[i + 2]) : absl::string_view::npos;
      if (high == absl::string_view::npos || low == absl::string_view::npos) break;
      key.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  // One key has one name, so whatever was wrong on the way shows here.
  if (NodeName(key) != name) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" is no name of a record's node; somebody else made it"));
  }
  return key;
}

absl::StatusOr<std::unique_ptr<ZooKeeperStore>> ZooKeeperStore::Open(Session* session,
                                                                     std::string new_cluster_id) {
  std::unique_ptr<ZooKeeperStore> store(new ZooKeeperStore(session, std::move(new_cluster_id)));
  RETURN_IF_ERROR(session->MakePath(kClusterPath));
  RETURN_IF_ERROR(session->MakePath(kRegistryPath));
  // Twice: cluster and registry are not read at one moment, and two masters may be at the very
  // beginning at once.
  absl::Status looked = store->Look();
  if (absl::IsDataLoss(looked)) looked = store->Look();
  RETURN_IF_ERROR(looked);
  return store;
}

absl::Status ZooKeeperStore::Look() {
  RETURN_IF_ERROR(session_->Sync());
  ASSIGN_OR_RETURN(const std::vector<std::string> records,
                   session_->Children(kRegistryPath, /*watch=*/false));
  ASSIGN_OR_RETURN(const std::vector<std::string> clusters,
                   session_->Children(kClusterPath, /*watch=*/false));
  ASSIGN_OR_RETURN(const std::optional<Node> registry,
                   session_->Exists(kRegistryPath, /*watch=*/false));
  const std::string where = session_->address().ToString();
  if (clusters.size() > 1) {
    return absl::DataLossError(absl::StrCat(
        where, " names ", clusters.size(), " clusters (", absl::StrJoin(clusters, ", "), ") under ",
        kClusterPath, "; one chroot is one cluster, remove those that are wrong"));
  }
  if (clusters.empty() && !records.empty()) {
    return absl::DataLossError(
        absl::StrCat(where, " has a registry of ", records.size(), " records, but ", kClusterPath,
                     " names no cluster; it was emptied in part, restore it from a backup"));
  }
  const bool whole = std::count(records.begin(), records.end(), kClusterKey) > 0 &&
                     std::count(records.begin(), records.end(), kEpochKey) > 0;
  if (!clusters.empty() && !whole) {
    return absl::DataLossError(absl::StrCat(where, " is cluster ", clusters[0],
                                            ", but its registry lacks the cluster's record or the ",
                                            "epoch; it was emptied, restore it from a backup"));
  }
  if (!registry) return absl::AbortedError(absl::StrCat(where, " is being emptied"));
  if (!clusters.empty()) {
    ASSIGN_OR_RETURN(cluster_id_, KeyOfNode(clusters[0]));
  }
  registry_version_ = registry->version;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ZooKeeperStore::ReadAll() {
  RETURN_IF_ERROR(session_->Sync());
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   session_->Children(kRegistryPath, /*watch=*/false));
  std::vector<std::string> paths;
  paths.reserve(names.size());
  for (const std::string& name : names) paths.push_back(absl::StrCat(kRegistryPath, "/", name));
  ASSIGN_OR_RETURN(std::vector<std::optional<Node>> nodes, session_->GetAll(paths));
  std::vector<std::pair<std::string, std::string>> records;
  records.reserve(nodes.size());
  Versions versions;
  for (size_t i = 0; i < names.size(); ++i) {
    absl::StatusOr<std::string> key = KeyOfNode(names[i]);
    if (!key.ok()) return absl::DataLossError(key.status().message());
    if (!nodes[i]) {
      return absl::AbortedError(absl::StrCat("record \"", *key,
                                             "\" was removed while the registry was read: another "
                                             "master writes to it"));
    }
    versions[*key] = nodes[i]->version;
    records.emplace_back(*std::move(key), std::move(nodes[i]->data));
  }
  // What the fence was before this, it stays: only its own reading and writing moves it.
  if (const auto fence = versions_.find(kEpochKey); fence != versions_.end()) {
    versions[kEpochKey] = fence->second;
  }
  versions_ = std::move(versions);
  std::sort(records.begin(), records.end());
  return records;
}

absl::StatusOr<std::optional<std::string>> ZooKeeperStore::Read(const std::string& key) {
  RETURN_IF_ERROR(session_->Sync());
  absl::StatusOr<Node> node = session_->Get(PathOf(key));
  if (absl::IsNotFound(node.status())) {
    versions_.erase(key);
    return std::optional<std::string>();
  }
  RETURN_IF_ERROR(node.status());
  versions_[key] = node->version;
  return std::optional<std::string>(std::move(node->data));
}

absl::Status ZooKeeperStore::Write(const std::vector<Mutation>& batch) {
  RETURN_IF_ERROR(failed_);
  failed_ = TryWrite(batch);
  return failed_;
}

absl::Status ZooKeeperStore::TryWrite(const std::vector<Mutation>& batch) {
  Versions versions = versions_;
  ASSIGN_OR_RETURN(const auto multis, Plan(batch, &versions));
  if (multis.empty()) return absl::OkStatus();
  const MultiResult result = session_->MultiAll(multis);
  if (!result.status.ok()) return Explain(result);
  cluster_id_ = ClusterId();
  versions_ = std::move(versions);
  if (!Raises(batch)) {
    registry_version_ += static_cast<int32_t>(multis.size());
    return absl::OkStatus();
  }
  // From now on it is ours alone.
  ASSIGN_OR_RETURN(const std::optional<Node> registry, session_->Exists(kRegistryPath, false));
  if (!registry) return Explain({absl::NotFoundError(kRegistryPath), std::nullopt});
  registry_version_ = registry->version;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::vector<Op>>> ZooKeeperStore::Plan(
    const std::vector<Mutation>& batch, Versions* versions) const {
  const std::string epoch_path = PathOf(kEpochKey);
  const std::string cluster_path = ClusterPath(ClusterId());
  const bool raises = Raises(batch);
  bool begun = cluster_id_.has_value();
  int32_t registry_version = registry_version_;
  std::vector<std::vector<Op>> multis;
  size_t bytes = 0;
  const auto begin_multi = [&] {
    multis.emplace_back();
    std::vector<Op>& ops = multis.back();
    // The cluster's node and its first records: in one step, or not at all.
    ops.push_back(begun ? CheckOp(cluster_path, -1) : CreateOp(cluster_path, ""));
    if (const auto fence = versions->find(kEpochKey); fence != versions->end()) {
      ops.push_back(CheckOp(epoch_path, fence->second));
    }
    // A former leader that still writes must not keep us from raising the epoch.
    ops.push_back(SetOp(kRegistryPath, "", raises ? -1 : registry_version++));
    begun = true;
    bytes = 0;
    for (const Op& op : ops) bytes += op.bytes();
  };
  for (const Mutation& mutation : batch) {
    const auto known = versions->find(mutation.key);
    if (!mutation.value && known == versions->end()) continue;
    if (mutation.value && mutation.value->size() > limits::kRecordBytes) {
      return absl::InvalidArgumentError(absl::StrCat("record \"", mutation.key, "\" has ",
                                                     mutation.value->size(), " bytes; at most ",
                                                     limits::kRecordBytes, " are stored"));
    }
    Op op;
    if (!mutation.value) {
      op = DeleteOp(PathOf(mutation.key), -1);
    } else if (known != versions->end()) {
      op = SetOp(PathOf(mutation.key), *mutation.value, known->second);
    } else {
      op = CreateOp(PathOf(mutation.key), *mutation.value);
    }
    if (multis.empty() || bytes + op.bytes() > limits::kMultiBytes) {
      begin_multi();
    }
    bytes += op.bytes();
    if (!mutation.value) {
      versions->erase(known);
    } else if (known != versions->end()) {
      ++known->second;
    } else {
      (*versions)[mutation.key] = 0;
    }
    multis.back().push_back(std::move(op));
  }
  if (!multis.empty() && (versions->count(kEpochKey) == 0 || versions->count(kClusterKey) == 0)) {
    return absl::FailedPreconditionError(
        "the first records of a registry are \"cluster\" and \"epoch\"");
  }
  if (raises && multis.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the epoch is raised by a batch of at most ", limits::kMultiBytes, " bytes"));
  }
  return multis;
}

absl::Status ZooKeeperStore::Explain(const MultiResult& result) const {
  const std::string where = session_->address().ToString();
  if (absl::IsUnavailable(result.status)) {
    return Annotate(result.status,
                    absl::StrCat("it is not known what ", where, " made of the last write"));
  }
  // A change under our feet means somebody else writes, whichever node shows it first.
  if (absl::IsAborted(result.status) || absl::IsAlreadyExists(result.status)) {
    return absl::AbortedError(absl::StrCat(
        where, ": another master has raised the epoch or written to the registry since; it leads (",
        result.status.message(), ")"));
  }
  if (absl::IsNotFound(result.status)) {
    return absl::AbortedError(absl::StrCat(
        where, ": the registry was emptied or exchanged under us (", result.status.message(), ")"));
  }
  return Annotate(result.status, where);
}

}  // namespace proffer::zk
