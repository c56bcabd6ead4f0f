// The store on disk, by LevelDB: opened with paranoid checks (without them it drops acknowledged
// records after a flipped bit), every write synced.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "common/base/store.h"

namespace leveldb {
class DB;
class Env;
}  // namespace leveldb

namespace proffer {

class LevelDbStore final : public Store {
 public:
  struct Options {
    leveldb::Env* env = nullptr;          // Null: this machine's disks.
    size_t write_buffer_bytes = 8 << 20;  // A log that is longer becomes a table.
  };

  // Makes `directory` when it does not exist. FAILED_PRECONDITION when another process has it
  // open, or the disk is full or does not work; DATA_LOSS when it is damaged.
  static absl::StatusOr<std::unique_ptr<LevelDbStore>> Open(const std::string& directory,
                                                            const Options& options);
  static absl::StatusOr<std::unique_ptr<LevelDbStore>> Open(const std::string& directory);
  ~LevelDbStore() override;

  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAll() override;
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key) override;
  absl::Status Write(const std::vector<Mutation>& batch) override;

 private:
  LevelDbStore(std::string directory, std::unique_ptr<leveldb::DB> db);
  const std::string directory_;
  const std::unique_ptr<leveldb::DB> db_;
};

}  // namespace proffer
