#include "cli/registry/place.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/convert/record.h"
#include "common/fs/store_leveldb.h"
#include "common/zookeeper/address.h"
#include "common/zookeeper/store.h"
#include "proffer/internal/registry.pb.h"

namespace proffer::cli {
namespace {

constexpr char kCluster[] = "cluster";
constexpr char kEpoch[] = "epoch";
constexpr int64_t kSessionMs = 10'000;
constexpr int kMostTries = 5;

std::string EpochRecordOf(uint64_t epoch) {
  internal::EpochRecord record;
  record.set_epoch(epoch);
  return convert::SealRecord(kEpoch, 1, record.SerializeAsString());
}

absl::StatusOr<std::unique_ptr<Store>> OpenDirectory(const std::string& directory, bool make) {
  const std::string registry = directory + "/registry";
  std::error_code ignored;
  if (!make && !std::filesystem::exists(registry, ignored)) {
    return absl::NotFoundError(
        absl::StrCat("there is no registry in ", directory,
                     "; name what a master was given as --work_dir or --zk"));
  }
  if (make) mkdir(directory.c_str(), 0700);
  absl::StatusOr<std::unique_ptr<LevelDbStore>> store = LevelDbStore::Open(registry);
  if (absl::IsFailedPrecondition(store.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(store.status().message(), "; stop the master that uses it, if there is one"));
  }
  return store;
}

}  // namespace

absl::StatusOr<Identity> IdentityOf(const Records& records) {
  Identity identity;
  for (const auto& [key, value] : records) {
    if (key != kCluster && key != kEpoch) continue;
    ASSIGN_OR_RETURN(const convert::OpenedRecord record, convert::OpenRecord(key, value));
    internal::ClusterRecord cluster;
    internal::EpochRecord epoch;
    if (key == kCluster && cluster.ParseFromString(record.payload)) {
      identity.cluster = cluster.cluster_id();
    } else if (key == kEpoch && epoch.ParseFromString(record.payload)) {
      identity.epoch = epoch.epoch();
    }
  }
  if (identity.cluster.empty() || identity.epoch == 0) {
    return absl::DataLossError("these records have no cluster or no epoch: no whole registry");
  }
  return identity;
}

absl::StatusOr<Place> Place::Open(const std::string& where, const std::string& new_cluster) {
  Place place;
  place.where_ = where;
  if (!zk::IsAddress(where)) {
    ASSIGN_OR_RETURN(place.store_, OpenDirectory(where, !new_cluster.empty()));
    return place;
  }
  ASSIGN_OR_RETURN(const zk::Address address, zk::ParseAddress(where));
  ASSIGN_OR_RETURN(place.session_, zk::Session::Connect(address, {kSessionMs, nullptr}));
  ASSIGN_OR_RETURN(std::unique_ptr<zk::ZooKeeperStore> store,
                   zk::ZooKeeperStore::Open(place.session_.get(), new_cluster));
  if (!store->cluster_id() && new_cluster.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no registry in ", where));
  }
  if (store->cluster_id() && !new_cluster.empty() && *store->cluster_id() != new_cluster) {
    return absl::FailedPreconditionError(absl::StrCat(where, " is cluster ", *store->cluster_id(),
                                                      ", not ", new_cluster,
                                                      "; name another chroot"));
  }
  place.store_ = std::move(store);
  return place;
}

absl::StatusOr<Records> Place::Read() {
  absl::StatusOr<Records> records = store_->ReadAll();
  // Changed while it was read: by a master at work.
  for (int i = 1; i < kMostTries && absl::IsAborted(records.status()); ++i) {
    records = store_->ReadAll();
  }
  return records;
}

absl::StatusOr<uint64_t> Place::Replace(const Records& records, bool replace) {
  ASSIGN_OR_RETURN(Identity identity, IdentityOf(records));
  ASSIGN_OR_RETURN(const Records before, Read());
  std::map<std::string, std::optional<std::string>> changes;
  if (!before.empty()) {
    ASSIGN_OR_RETURN(const Identity there, IdentityOf(before));
    if (there.cluster != identity.cluster) {
      return absl::FailedPreconditionError(absl::StrCat(where_, " is cluster ", there.cluster,
                                                        ", not ", identity.cluster,
                                                        "; name an empty place"));
    }
    if (!replace) {
      return absl::FailedPreconditionError(
          absl::StrCat(where_, " holds ", before.size(), " records of this cluster, in epoch ",
                       there.epoch, "; --replace puts the file's in their place"));
    }
    identity.epoch = std::max(identity.epoch, there.epoch);
    for (const auto& [key, value] : before) changes[key] = std::nullopt;
  }
  for (const auto& [key, value] : records) changes[key] = value;
  const uint64_t epoch = identity.epoch + 1;
  // The fence first, as a master does it that takes over.
  RETURN_IF_ERROR(store_->Read(kCluster).status());
  RETURN_IF_ERROR(store_->Read(kEpoch).status());
  RETURN_IF_ERROR(store_->Write({{kCluster, changes[kCluster]}, {kEpoch, EpochRecordOf(epoch)}}));
  changes.erase(kCluster);
  changes.erase(kEpoch);
  std::vector<Mutation> rest;
  for (auto& [key, value] : changes) rest.push_back({key, std::move(value)});
  if (!rest.empty()) RETURN_IF_ERROR(store_->Write(rest));
  return epoch;
}

}  // namespace proffer::cli
