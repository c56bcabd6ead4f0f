#include "common/fs/store_leveldb.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/fs/leveldb_log.h"
#include "leveldb/db.h"
#include "leveldb/write_batch.h"

namespace proffer {
namespace {

absl::Status FromLevelDb(const leveldb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsIOError()) return absl::FailedPreconditionError(message);
  return absl::InternalError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LevelDbStore>> LevelDbStore::Open(const std::string& directory) {
  RETURN_IF_ERROR(CheckLevelDbFiles(directory));
  RETURN_IF_ERROR(CheckLevelDbLogs(directory));
  leveldb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_size = 8 << 20;
  leveldb::DB* db = nullptr;
  RETURN_IF_ERROR(FromLevelDb(leveldb::DB::Open(options, directory, &db),
                              absl::StrCat("open store ", directory)));
  return std::unique_ptr<LevelDbStore>(new LevelDbStore(std::unique_ptr<leveldb::DB>(db)));
}

LevelDbStore::LevelDbStore(std::unique_ptr<leveldb::DB> db) : db_(std::move(db)) {}

LevelDbStore::~LevelDbStore() = default;

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> LevelDbStore::ReadAll() {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  std::vector<std::pair<std::string, std::string>> records;
  const std::unique_ptr<leveldb::Iterator> it(db_->NewIterator(options));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    records.emplace_back(it->key().ToString(), it->value().ToString());
  }
  // A block that cannot be read at all is as lost as one with a wrong checksum.
  if (!it->status().ok()) {
    return absl::DataLossError(absl::StrCat("read store: ", it->status().ToString()));
  }
  return records;
}

absl::StatusOr<std::optional<std::string>> LevelDbStore::Read(const std::string& key) {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  std::string value;
  const leveldb::Status found = db_->Get(options, key, &value);
  if (found.IsNotFound()) return std::optional<std::string>();
  if (!found.ok()) {
    return absl::DataLossError(absl::StrCat("read \"", key, "\": ", found.ToString()));
  }
  return std::optional<std::string>(std::move(value));
}

absl::Status LevelDbStore::Write(const std::vector<Mutation>& batch) {
  leveldb::WriteBatch writes;
  for (const Mutation& mutation : batch) {
    if (mutation.value) {
      writes.Put(mutation.key, *mutation.value);
    } else {
      writes.Delete(mutation.key);
    }
  }
  leveldb::WriteOptions options;
  options.sync = true;
  return FromLevelDb(db_->Write(options, &writes), "write store");
}

}  // namespace proffer
