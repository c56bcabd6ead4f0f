#include "common/fs/store_leveldb.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/fs/leveldb_log.h"
#include "common/fs/synced_names.h"
#include "leveldb/db.h"
#include "leveldb/write_batch.h"

namespace proffer {
namespace {

constexpr char kWhatToDo[] =
    "; make room on the disk it lies on, or repair that, and start the process again";

}  // namespace

absl::StatusOr<std::unique_ptr<LevelDbStore>> LevelDbStore::Open(const std::string& directory) {
  return Open(directory, Options());
}

absl::StatusOr<std::unique_ptr<LevelDbStore>> LevelDbStore::Open(const std::string& directory,
                                                                 const Options& options) {
  leveldb::Options level;
  level.env = options.env == nullptr ? SyncedNames::Default() : options.env;
  absl::Status readable = CheckLevelDbFiles(level.env, directory);
  if (readable.ok()) readable = CheckLevelDbLogs(level.env, directory);
  if (absl::IsUnavailable(readable)) {
    return absl::FailedPreconditionError(absl::StrCat(readable.message(), kWhatToDo));
  }
  RETURN_IF_ERROR(readable);
  level.create_if_missing = true;
  level.paranoid_checks = true;
  level.write_buffer_size = options.write_buffer_bytes;
  leveldb::DB* db = nullptr;
  const leveldb::Status opened = leveldb::DB::Open(level, directory, &db);
  if (opened.ok()) {
    return std::unique_ptr<LevelDbStore>(
        new LevelDbStore(directory, std::unique_ptr<leveldb::DB>(db)));
  }
  const std::string what = absl::StrCat("open store ", directory, ": ", opened.ToString());
  if (opened.IsCorruption()) return absl::DataLossError(what);
  if (!opened.IsIOError()) return absl::InternalError(what);
  // Another process that has it open is an error of the disk to LevelDB.
  const bool held = absl::StrContains(what, "/LOCK");
  return absl::FailedPreconditionError(absl::StrCat(what, held ? "" : kWhatToDo));
}

LevelDbStore::LevelDbStore(std::string directory, std::unique_ptr<leveldb::DB> db)
    : directory_(std::move(directory)), db_(std::move(db)) {}

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
  const leveldb::Status written = db_->Write(options, &writes);
  if (written.ok()) return absl::OkStatus();
  const std::string what = absl::StrCat("write store ", directory_, ": ", written.ToString());
  if (written.IsIOError()) return absl::UnavailableError(absl::StrCat(what, kWhatToDo));
  return written.IsCorruption() ? absl::DataLossError(what) : absl::InternalError(what);
}

}  // namespace proffer
