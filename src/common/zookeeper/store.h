// The store on ZooKeeper: one node a record under <chroot>/registry, and no word from a leader that
// has been followed by another.
//
// Every write is one or more multis, each of which checks that
//   - <chroot>/cluster/<id> is there: the registry has not been emptied or exchanged;
//   - the record "epoch" has the version that this store read or wrote last: nobody has taken over
//     since (the fence);
//   - <chroot>/registry itself, which every multi writes, has the version the one before left: a
//     later multi never survives an earlier one that failed, though both were sent at once. (Not so
//     the write that raises the epoch: nobody can write after it but us.)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mutex.h"
#include "common/base/store.h"
#include "common/zookeeper/session.h"

namespace proffer::zk {

// Below the chroot.
inline constexpr char kClusterPath[] = "/cluster";
inline constexpr char kRegistryPath[] = "/registry";

// A key as the name of a node and back: "weight/a/b" is "weight%2Fa%2Fb". Letters, digits and
// -_.:+@=~, stay, everything else becomes % and two digits. Total, and the second undoes the first;
// INVALID_ARGUMENT for a name that no key has.
std::string NodeName(absl::string_view key);
absl::StatusOr<std::string> KeyOfNode(absl::string_view name);

// THREAD: one at a time.
class ZooKeeperStore final : public Store {
 public:
  // Looks at what is there, makes the empty parents. `session` outlives the store.
  // `new_cluster_id`: of a cluster that begins here, made known by the first Write, which must be
  // that of the records "cluster" and "epoch".
  // DATA_LOSS: there is a cluster and no registry, the other way round, or several clusters: it was
  // emptied or mixed up, and must not be served as if it were new.
  static absl::StatusOr<std::unique_ptr<ZooKeeperStore>> Open(Session* session,
                                                              std::string new_cluster_id);

  // The cluster that is there; nullopt: none yet.
  const std::optional<std::string>& cluster_id() const { return cluster_id_; }

  // Of the moment of the call. DATA_LOSS also when a node is no record. ABORTED when the registry
  // was changed meanwhile; it cannot be by anybody but us once the epoch was raised.
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAll() override;
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key) override;

  // Records that neither Read nor ReadAll nor Write has seen are taken for new ones. A batch with
  // the record "epoch" raises the fence, by compare-and-set against the version that was read, and
  // must fit into one multi; any other is split as need be.
  // INVALID_ARGUMENT, before anything is sent: a record is longer than limits::kRecordBytes.
  // FAILED_PRECONDITION: "epoch" and "cluster" were neither read nor are they written now. ABORTED:
  // fenced, or the cluster is not there any more. UNAVAILABLE: not known what was done. After an
  // error nothing more is written.
  absl::Status Write(const std::vector<Mutation>& batch) override;

 private:
  using Versions = std::map<std::string, int32_t>;  // Of the records that are there, by key.

  ZooKeeperStore(Session* session, std::string new_cluster_id)
      : session_(session), new_cluster_id_(std::move(new_cluster_id)) {}

  std::string ClusterId() const { return cluster_id_.value_or(new_cluster_id_); }
  absl::Status Look();
  absl::Status TryWrite(const std::vector<Mutation>& batch);
  // The batch as multis within limits::kMultiBytes, and what will be there after them.
  absl::StatusOr<std::vector<std::vector<Op>>> Plan(const std::vector<Mutation>& batch,
                                                    Versions* versions) const;
  absl::Status Explain(const MultiResult& result) const;

  Session* const session_;
  const std::string new_cluster_id_;
  std::optional<std::string> cluster_id_;
  int32_t registry_version_ = 0;
  Versions versions_;
  absl::Status failed_;  // Of the first write that did.
};

}  // namespace proffer::zk
