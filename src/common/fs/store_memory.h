// A store that lives as long as the process: for tests, and for masters that may forget.
#pragma once

#include <map>

#include "common/base/mutex.h"
#include "common/base/store.h"

namespace proffer {

class MemoryStore final : public Store {
 public:
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAll() override;
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key) override;
  absl::Status Write(const std::vector<Mutation>& batch) override;

 private:
  Mutex mutex_;
  std::map<std::string, std::string> records_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer
