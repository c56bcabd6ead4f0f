// The directories of tasks, <work_dir>/sandboxes/<framework>/<task>/<attempt>, and their end: the
// newest of those whose tasks are forgotten are kept for people to look at, the others are
// deleted by a thread of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/model/ids.h"

namespace proffer::agent {

class Sandboxes {
 public:
  // Makes the directories. `keep_ended` sandboxes of forgotten tasks stay.
  static absl::StatusOr<std::unique_ptr<Sandboxes>> Open(const std::string& work_dir,
                                                         size_t keep_ended);
  ~Sandboxes();

  // The directory of all of them.
  const std::string& root() const { return root_; }
  std::string PathOf(const model::TaskKey& key, const model::AttemptId& attempt) const;
  // Makes the directory, readable by nobody else; its shim gives it to the task's user. One that
  // exists is taken.
  absl::Status Make(const model::TaskKey& key, const model::AttemptId& attempt);
  // Called, on a thread of this, with the path below the root of a sandbox that could not be
  // deleted for want of rights. Null: nobody is called any more, from when this returns.
  void OnLeft(std::function<void(const std::string& path)> on_left);
  // Its task is forgotten: it may be deleted once it is not among the newest.
  void Ended(const model::TaskKey& key, const model::AttemptId& attempt);
  // Takes every sandbox on disk except those of `live` for ended ones, the oldest first.
  void AdoptEnded(const std::set<model::AttemptId>& live);

  // Opens a sandbox for reading, each component without following links.
  absl::StatusOr<int> OpenFd(const model::TaskKey& key, const model::AttemptId& attempt) const;
  // The newest attempt of a task that has a sandbox.
  absl::StatusOr<model::AttemptId> NewestAttempt(const model::TaskKey& key) const;

  // Waits until what is due was deleted. For tests.
  void WaitUntilIdle();

 private:
  struct Sandbox {
    model::TaskKey key;
    model::AttemptId attempt;
  };

  Sandboxes(std::string root, int root_fd, size_t keep_ended);
  void Run();
  void Delete(const Sandbox& sandbox);

  const std::string root_;
  const int root_fd_;
  const size_t keep_ended_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<Sandbox> ended_ GUARDED_BY_MUTEX(mutex_);  // Oldest first.
  std::function<void(const std::string&)> on_left_ GUARDED_BY_MUTEX(mutex_);
  bool deleting_ GUARDED_BY_MUTEX(mutex_) = false;
  bool stopping_ GUARDED_BY_MUTEX(mutex_) = false;
  std::thread thread_;
};

// "7-12" as an attempt id.
bool ParseAttempt(const std::string& text, model::AttemptId* attempt);
// Makes a directory and those above it.
absl::Status MakeDirectories(const std::string& path, uint32_t mode);

}  // namespace proffer::agent
