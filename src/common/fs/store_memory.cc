#include "common/fs/store_memory.h"

namespace proffer {

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> MemoryStore::ReadAll() {
  MutexLock lock(&mutex_);
  return std::vector<std::pair<std::string, std::string>>(records_.begin(), records_.end());
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
