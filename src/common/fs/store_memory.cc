#include "common/fs/store_memory.h"

namespace proffer {

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> MemoryStore::ReadAll() {
  MutexLock lock(&mutex_);
  return std::vector<std::pair<std::string, std::string>>(records_.begin(), records_.end());
}

absl::StatusOr<std::optional<std::string>> MemoryStore::Read(const std::string& key) {
  MutexLock lock(&mutex_);
  const auto found = records_.find(key);
  if (found == records_.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

absl::Status MemoryStore::Write(const std::vector<Mutation>& batch) {
  MutexLock lock(&mutex_);
  for (const Mutation& mutation : batch) {
    if (mutation.value) {
      records_[mutation.key] = *mutation.value;
    } else {
      records_.erase(mutation.key);
    }
  }
  return absl::OkStatus();
}

}  // namespace proffer
