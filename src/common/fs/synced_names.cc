#include "common/fs/synced_names.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace proffer {
namespace {

leveldb::Status SyncOnDisk(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  return synced ? leveldb::Status::OK() : leveldb::Status::IOError(directory, std::strerror(error));
}

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

SyncedNames::SyncedNames(leveldb::Env* files, SyncDirectory sync_directory)
    : EnvWrapper(files), sync_directory_(std::move(sync_directory)) {}

leveldb::Env* SyncedNames::Default() {
  // Never destroyed: LevelDB's own thread may outlive everything that is.
  static auto* const env = new SyncedNames(leveldb::Env::Default(), SyncOnDisk);
  return env;
}

leveldb::Status SyncedNames::Synced(const leveldb::Status& done, const std::string& path) {
  return done.ok() ? sync_directory_(Parent(path)) : done;
}

leveldb::Status SyncedNames::NewWritableFile(const std::string& path,
                                             leveldb::WritableFile** file) {
  leveldb::WritableFile* made = nullptr;
  leveldb::Status status = Synced(target()->NewWritableFile(path, &made), path);
  std::unique_ptr<leveldb::WritableFile> owned(made);
  *file = status.ok() ? owned.release() : nullptr;
  return status;
}

leveldb::Status SyncedNames::NewAppendableFile(const std::string& path,
                                               leveldb::WritableFile** file) {
  leveldb::WritableFile* made = nullptr;
  leveldb::Status status = Synced(target()->NewAppendableFile(path, &made), path);
  std::unique_ptr<leveldb::WritableFile> owned(made);
  *file = status.ok() ? owned.release() : nullptr;
  return status;
}

leveldb::Status SyncedNames::RenameFile(const std::string& from, const std::string& to) {
  return Synced(target()->RenameFile(from, to), to);
}

leveldb::Status SyncedNames::CreateDir(const std::string& path) {
  const leveldb::Status made = target()->CreateDir(path);
  if (!FileExists(path)) return made;
  const leveldb::Status synced = sync_directory_(Parent(path));
  return synced.ok() ? made : synced;
}

}  // namespace proffer
