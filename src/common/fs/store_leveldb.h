// The store on disk, by LevelDB: opened with paranoid checks (without them it drops acknowledged
// records after a flipped bit), every write synced.
#pragma once

#include <memory>
#include <string>

#include "common/base/store.h"

namespace leveldb {
class DB;
}

namespace proffer {

class LevelDbStore final : public Store {
 public:
  // Makes `directory` when it does not exist. FAILED_PRECONDITION when another process has it
  // open; DATA_LOSS when it is damaged.
  static absl::StatusOr<std::unique_ptr<LevelDbStore>> Open(const std::string& directory);
  ~LevelDbStore() override;

  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAll() override;
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key) override;
  absl::Status Write(const std::vector<Mutation>& batch) override;

 private:
  explicit LevelDbStore(std::unique_ptr<leveldb::DB> db);
  const std::unique_ptr<leveldb::DB> db_;
};

}  // namespace proffer
