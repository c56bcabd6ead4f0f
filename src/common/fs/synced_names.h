// LevelDB syncs what it writes into its files, but of their names only those of manifests: after a
// power cut a new log could be gone by name, with all that was written to it and synced, or CURRENT
// name a manifest that was removed. Some file systems keep the name of a file whose bytes are
// synced; POSIX does not say so. Here the directory is synced as well, before its files are used.
#pragma once

#include <functional>
#include <string>

#include "leveldb/env.h"

namespace proffer {

// THREAD: any.
class SyncedNames final : public leveldb::EnvWrapper {
 public:
  using SyncDirectory = std::function<leveldb::Status(const std::string& directory)>;
  SyncedNames(leveldb::Env* files, SyncDirectory sync_directory);

  // On this machine's disks.
  static leveldb::Env* Default();

  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  // Also when it was there: whoever made it may not have synced its name.
  leveldb::Status CreateDir(const std::string& path) override;

 private:
  // Returns `done`, or why the name could not be synced.
  leveldb::Status Synced(const leveldb::Status& done, const std::string& path);

  const SyncDirectory sync_directory_;
};

}  // namespace proffer
