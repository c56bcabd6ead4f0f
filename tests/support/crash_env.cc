#include "support/crash_env.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace proffer::testing {

using leveldb::Slice;
using leveldb::Status;

namespace {

// Of LevelDB's own files on a real disk: what is appended gathers until so much is there.
constexpr size_t kBufferBytes = 65536;

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class SequentialBytes final : public leveldb::SequentialFile {
 public:
  explicit SequentialBytes(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  Status Read(size_t n, Slice* result, char*) override {
    n = std::min(n, bytes_->size() - position_);
    *result = Slice(bytes_->data() + position_, n);
    position_ += n;
    return Status::OK();
  }
  Status Skip(uint64_t n) override {
    position_ = std::min<size_t>(position_ + n, bytes_->size());
    return Status::OK();
  }

 private:
  const std::shared_ptr<const std::string> bytes_;
  size_t position_ = 0;
};

class RandomBytes final : public leveldb::RandomAccessFile {
 public:
  explicit RandomBytes(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  Status Read(uint64_t offset, size_t n, Slice* result, char*) const override {
    const size_t from = std::min<size_t>(offset, bytes_->size());
    *result = Slice(bytes_->data() + from, std::min(n, bytes_->size() - from));
    return Status::OK();
  }

 private:
  const std::shared_ptr<const std::string> bytes_;
};

class NoLock final : public leveldb::FileLock {};

}  // namespace

class CrashFile final : public leveldb::WritableFile {
 public:
  CrashFile(CrashEnv* env, std::string name) : env_(env), name_(std::move(name)) {}
  ~CrashFile() override { Flush(); }
  Status Append(const Slice& data) override {
    buffer_.append(data.data(), data.size());
    return buffer_.size() < kBufferBytes ? Status::OK() : Flush();
  }
  Status Close() override { return Flush(); }
  Status Flush() override {
    if (buffer_.empty()) return Status::OK();
    const std::string bytes = std::exchange(buffer_, "");
    return env_->Change(DiskChange::Kind::kWrite, name_, bytes);
  }
  Status Sync() override {
    // As LevelDB's own files do.
    if (name_.rfind("MANIFEST", 0) == 0) {
      if (Status synced = env_->SyncNames(); !synced.ok()) return synced;
    }
    const Status flushed = Flush();
    return flushed.ok() ? env_->Change(DiskChange::Kind::kSync, name_) : flushed;
  }

 private:
  CrashEnv* const env_;
  const std::string name_;
  std::string buffer_;
};

CrashEnv::CrashEnv(const DiskImage& image) : EnvWrapper(Env::Default()) {
  for (const auto& [name, bytes] : image) files_[name] = std::make_shared<std::string>(bytes);
}

CrashEnv::~CrashEnv() = default;

std::vector<DiskChange> CrashEnv::changes() {
  MutexLock lock(&mutex_);
  return changes_;
}

size_t CrashEnv::change_count() {
  MutexLock lock(&mutex_);
  return changes_.size();
}

void CrashEnv::Fail(const std::string& why) {
  MutexLock lock(&mutex_);
  failure_ = why;
}

Status CrashEnv::Change(DiskChange::Kind kind, const std::string& name, const std::string& text) {
  MutexLock lock(&mutex_);
  if (!failure_.empty()) return Status::IOError(name, failure_);
  if (kind == DiskChange::Kind::kCreate) {
    files_[name] = std::make_shared<std::string>();
  } else if (kind != DiskChange::Kind::kSyncNames && files_.count(name) == 0) {
    return Status::NotFound(name, "no such file");
  }
  if (kind == DiskChange::Kind::kWrite) {
    // Whoever reads it at the moment keeps what there was.
    std::shared_ptr<std::string>& bytes = files_[name];
    if (bytes.use_count() > 1) bytes = std::make_shared<std::string>(*bytes);
    *bytes += text;
  } else if (kind == DiskChange::Kind::kRename) {
    files_[text] = std::exchange(files_[name], nullptr);
    files_.erase(name);
  } else if (kind == DiskChange::Kind::kRemove) {
    files_.erase(name);
  }
  changes_.push_back({kind, name, text});
  return Status::OK();
}

Status CrashEnv::Find(const std::string& path, std::shared_ptr<const std::string>* bytes) {
  MutexLock lock(&mutex_);
  const auto found = files_.find(NameOf(path));
  if (found == files_.end()) return Status::NotFound(path, "no such file");
  *bytes = found->second;
  return Status::OK();
}

Status CrashEnv::SyncNames() { return Change(DiskChange::Kind::kSyncNames, ""); }

Status CrashEnv::NewSequentialFile(const std::string& path, leveldb::SequentialFile** file) {
  std::shared_ptr<const std::string> bytes;
  const Status found = Find(path, &bytes);
  if (found.ok()) *file = new SequentialBytes(std::move(bytes));
  return found;
}

Status CrashEnv::NewRandomAccessFile(const std::string& path, leveldb::RandomAccessFile** file) {
  std::shared_ptr<const std::string> bytes;
  const Status found = Find(path, &bytes);
  if (found.ok()) *file = new RandomBytes(std::move(bytes));
  return found;
}

Status CrashEnv::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
  const Status created = Change(DiskChange::Kind::kCreate, NameOf(path));
  if (created.ok()) *file = new CrashFile(this, NameOf(path));
  return created;
}

Status CrashEnv::NewAppendableFile(const std::string& path, leveldb::WritableFile** file) {
  if (!FileExists(path)) return NewWritableFile(path, file);
  *file = new CrashFile(this, NameOf(path));
  return Status::OK();
}

bool CrashEnv::FileExists(const std::string& path) {
  MutexLock lock(&mutex_);
  return files_.count(NameOf(path)) != 0;
}

Status CrashEnv::GetChildren(const std::string&, std::vector<std::string>* names) {
  MutexLock lock(&mutex_);
  names->clear();
  for (const auto& [name, bytes] : files_) names->push_back(name);
  return Status::OK();
}

Status CrashEnv::RemoveFile(const std::string& path) {
  return Change(DiskChange::Kind::kRemove, NameOf(path));
}

Status CrashEnv::CreateDir(const std::string&) { return Status::OK(); }
Status CrashEnv::RemoveDir(const std::string&) { return Status::OK(); }

Status CrashEnv::GetFileSize(const std::string& path, uint64_t* size) {
  std::shared_ptr<const std::string> bytes;
  const Status found = Find(path, &bytes);
  if (found.ok()) *size = bytes->size();
  return found;
}

Status CrashEnv::RenameFile(const std::string& from, const std::string& to) {
  return Change(DiskChange::Kind::kRename, NameOf(from), NameOf(to));
}

Status CrashEnv::LockFile(const std::string&, leveldb::FileLock** lock) {
  *lock = new NoLock;
  return Status::OK();
}

Status CrashEnv::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return Status::OK();
}

Status CrashEnv::NewLogger(const std::string&, leveldb::Logger** logger) {
  *logger = nullptr;  // Nothing is read from it ever.
  return Status::OK();
}

}  // namespace proffer::testing
