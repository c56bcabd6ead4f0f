// Where a registry is kept: a master's work directory, or a ZooKeeper ensemble.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cli/registry/archive.h"
#include "common/base/store.h"
#include "common/zookeeper/session.h"

namespace proffer::cli {

class Place {
 public:
  // `where`: "zk://host:port[,host:port...]/chroot" or a directory, as masters are given them by
  // --zk and --work_dir. `new_cluster`: the cluster that is about to begin there; empty: there must
  // be one. NOT_FOUND; FAILED_PRECONDITION when a master has the directory open.
  static absl::StatusOr<Place> Open(const std::string& where, const std::string& new_cluster = "");

  // Sorted by key; a master that leads may go on meanwhile.
  absl::StatusOr<Records> Read();
  // Puts `records` in place of whatever is there, under a raised epoch, so that no master that led
  // before can go on. Returns the new epoch. No master may lead meanwhile. When it is interrupted,
  // it must be done again. FAILED_PRECONDITION: there are records and not `replace`, or there is
  // another cluster; DATA_LOSS: `records` are no registry.
  absl::StatusOr<uint64_t> Replace(const Records& records, bool replace);

 private:
  Place() = default;

  std::string where_;
  std::unique_ptr<zk::Session> session_;  // Null: a directory. Outlives the store.
  std::unique_ptr<Store> store_;
};

// The cluster and the epoch that records are of. DATA_LOSS: they have none, so they are no whole
// registry.
struct Identity {
  std::string cluster;
  uint64_t epoch = 0;
};
absl::StatusOr<Identity> IdentityOf(const Records& records);

}  // namespace proffer::cli
