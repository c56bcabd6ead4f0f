// Where a framework keeps what its next life needs: its id and the cluster that gave it, how often
// it was started, and an intent for each task that has not ended. Implement it over what you have
// (SQLite, ZooKeeper, ...), or use the file.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace proffer {

// Sets a key; without a value removes it (which is fine if it is not there).
struct StateChange {
  std::string key;  // Printable, without blanks.
  std::optional<std::string> value;
};

// THREAD: Load is called once, before anything else; Write from one thread at a time.
class StateStore {
 public:
  virtual ~StateStore() = default;

  // Everything there is; empty in the first life. An error keeps the framework from starting.
  virtual absl::StatusOr<std::map<std::string, std::string>> Load() = 0;
  // All or nothing, and durable when it returns OK. An error stops the framework, because it may
  // not launch what it cannot write down. May block: tasks wait for it, heartbeats too, so it
  // should not take longer than some seconds.
  virtual absl::Status Write(const std::vector<StateChange>& changes) = 0;
};

// One file, replaced as a whole at each write (written beside, synced, renamed, directory synced),
// so a crash leaves the old or the new state. Costs a sync and about 60 bytes a task that lives.
class FileStateStore final : public StateStore {
 public:
  // The file is made at the first write, with mode 0600; its directory must exist. A file
  // `path`.lock keeps other processes away while this object lives.
  explicit FileStateStore(std::string path);
  ~FileStateStore() override;

  // DATA_LOSS: the file is not one of ours or damaged. FAILED_PRECONDITION: another process uses
  // it.
  absl::StatusOr<std::map<std::string, std::string>> Load() override;
  absl::Status Write(const std::vector<StateChange>& changes) override;

 private:
  const std::string path_;
  int lock_fd_ = -1;
  std::map<std::string, std::string> entries_;
};

// Forgets with the process. For tests.
class MemoryStateStore final : public StateStore {
 public:
  absl::StatusOr<std::map<std::string, std::string>> Load() override { return entries_; }
  absl::Status Write(const std::vector<StateChange>& changes) override;

 private:
  std::map<std::string, std::string> entries_;
};

}  // namespace proffer
