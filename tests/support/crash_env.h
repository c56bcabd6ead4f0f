// LevelDB's files in memory, every system call that changes them written down: what a real disk
// would hold after a crash can be made of that (crash_disk.h).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "leveldb/env.h"
#include "support/crash_disk.h"

namespace proffer::testing {

// Threads and clock are the real ones. All files are of one directory.
class CrashEnv final : public leveldb::EnvWrapper {
 public:
  explicit CrashEnv(const DiskImage& image = {});
  ~CrashEnv() override;

  // So far.
  std::vector<DiskChange> changes();
  size_t change_count();
  // As fsync of the directory.
  leveldb::Status SyncNames();
  // From now on whatever would change the disk fails, as when it is full or broken.
  void Fail(const std::string& why);

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
  bool FileExists(const std::string& path) override;
  leveldb::Status GetChildren(const std::string& directory,
                              std::vector<std::string>* names) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status CreateDir(const std::string& path) override;
  leveldb::Status RemoveDir(const std::string& path) override;
  leveldb::Status GetFileSize(const std::string& path, uint64_t* size) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  leveldb::Status NewLogger(const std::string& path, leveldb::Logger** logger) override;

 private:
  friend class CrashFile;
  leveldb::Status Change(DiskChange::Kind kind, const std::string& name,
                         const std::string& text = "");
  leveldb::Status Find(const std::string& path, std::shared_ptr<const std::string>* bytes);

  Mutex mutex_;
  std::vector<DiskChange> changes_ GUARDED_BY_MUTEX(mutex_);
  std::map<std::string, std::shared_ptr<std::string>> files_ GUARDED_BY_MUTEX(mutex_);
  std::string failure_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::testing
