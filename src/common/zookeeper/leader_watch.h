// Who leads, for everybody who does not: standbys, agents, schedulers, the CLI.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "common/base/mutex.h"
#include "common/zookeeper/address.h"
#include "common/zookeeper/leader_info.h"

namespace proffer::zk {

class Session;

// Follows the election of one chroot for as long as it lives, on a thread and a session of its own.
// When ZooKeeper cannot be reached it goes on trying for ever, and what it knew last stays true for
// it: a leader does not end because a follower cannot see it.
// THREAD: any.
class LeaderWatch {
 public:
  // `changed` is called on the watch's own thread, first when the first answer is there, then
  // whenever it is another one; nullopt: nobody stands for election. It may be null. It may block
  // (only news are held up by that), but must not destroy the watch. Whoever leads according to
  // this may still be reading the registry and not serve yet: try again.
  // Returns at once; connects behind the scenes. `session_timeout_ms` bounds how long news of a
  // lost connection takes, nothing else: a follower has nothing that could expire.
  LeaderWatch(Address address, std::function<void(std::optional<LeaderInfo> leader)> changed,
              int64_t session_timeout_ms = 10'000);
  // Waits for a call of `changed` that is under way; none comes after.
  ~LeaderWatch();
  LeaderWatch(const LeaderWatch&) = delete;
  LeaderWatch& operator=(const LeaderWatch&) = delete;

  // What was heard last. nullopt: nobody stands, or nothing was heard so far.
  std::optional<LeaderInfo> current() const;
  // Waits for the first answer, at most `timeout_ms`; false: there is none yet.
  bool AwaitFirst(int64_t timeout_ms) const;

 private:
  void Run();
  // Until the session is lost or the watch ends.
  void Follow(Session* session);
  void Publish(std::optional<LeaderInfo> leader);

  const Address address_;
  const std::function<void(std::optional<LeaderInfo>)> changed_;
  const int64_t session_timeout_ms_;

  mutable Mutex mutex_;
  mutable CondVar something_;
  bool ending_ GUARDED_BY_MUTEX(mutex_) = false;
  bool heard_ GUARDED_BY_MUTEX(mutex_) = false;
  std::optional<LeaderInfo> leader_ GUARDED_BY_MUTEX(mutex_);
  Session* session_ GUARDED_BY_MUTEX(mutex_) = nullptr;  // To wake it; null: not connected.
  std::thread thread_;
};

}  // namespace proffer::zk
