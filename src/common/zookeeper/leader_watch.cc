#include "common/zookeeper/leader_watch.h"

#include <glog/logging.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/zookeeper/contender.h"
#include "common/zookeeper/session.h"

namespace proffer::zk {
namespace {

// Between two sessions; the client's own attempts within one are more frequent.
constexpr int64_t kPauseMs = 500;

// Who leads now; any change to that is news to the session.
absl::StatusOr<std::optional<LeaderInfo>> Look(Session* session) {
  while (true) {
    const absl::StatusOr<std::vector<std::string>> children =
        session->Children(kElectionPath, /*watch=*/true);
    if (absl::IsNotFound(children.status())) {
      // Before the first master ever.
      ASSIGN_OR_RETURN(const std::optional<Node> there,
                       session->Exists(kElectionPath, /*watch=*/true));
      if (there) continue;
      return std::optional<LeaderInfo>();
    }
    RETURN_IF_ERROR(children.status());
    const std::vector<std::string> standing = InOrder(*children);
    if (standing.empty()) return std::optional<LeaderInfo>();
    const absl::StatusOr<Node> node =
        session->Get(absl::StrCat(kElectionPath, "/", standing.front()));
    if (absl::IsNotFound(node.status())) continue;
    RETURN_IF_ERROR(node.status());
    ASSIGN_OR_RETURN(LeaderInfo leader, ParseLeaderInfo(node->data));
    return std::optional<LeaderInfo>(std::move(leader));
  }
}

}  // namespace

LeaderWatch::LeaderWatch(Address address, std::function<void(std::optional<LeaderInfo>)> changed,
                         int64_t session_timeout_ms)
    : address_(std::move(address)),
      changed_(std::move(changed)),
      session_timeout_ms_(session_timeout_ms),
      thread_([this] { Run(); }) {}

LeaderWatch::~LeaderWatch() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    if (session_ != nullptr) session_->Abandon();
    something_.SignalAll();
  }
  thread_.join();
}

std::optional<LeaderInfo> LeaderWatch::current() const {
  MutexLock lock(&mutex_);
  return leader_;
}

bool LeaderWatch::AwaitFirst(int64_t timeout_ms) const {
  const Time give_up = BootTimeNow() + timeout_ms;
  MutexLock lock(&mutex_);
  while (!heard_) {
    const int64_t left_ms = give_up - BootTimeNow();
    if (left_ms <= 0) return false;
    something_.WaitFor(&mutex_, left_ms);
  }
  return true;
}

void LeaderWatch::Run() {
  while (true) {
    absl::StatusOr<std::unique_ptr<Session>> session =
        Session::Open(address_, {session_timeout_ms_, nullptr});
    if (session.ok()) {
      {
        MutexLock lock(&mutex_);
        if (ending_) return;
        session_ = session->get();
      }
      Follow(session->get());
      MutexLock lock(&mutex_);
      session_ = nullptr;
    } else {
      LOG(WARNING) << "following the lead: " << session.status().message();
    }
    MutexLock lock(&mutex_);
    if (!ending_) something_.WaitFor(&mutex_, kPauseMs);
    if (ending_) return;
  }
}

void LeaderWatch::Follow(Session* session) {
  while (true) {
    const uint64_t seen = session->news();
    absl::StatusOr<std::optional<LeaderInfo>> leader = Look(session);
    if (absl::IsCancelled(leader.status())) return;
    if (!leader.ok()) {
      LOG(WARNING) << "following the lead: " << leader.status().message();
      return;
    }
    Publish(*std::move(leader));
    session->AwaitNews(seen);
  }
}

void LeaderWatch::Publish(std::optional<LeaderInfo> leader) {
  {
    MutexLock lock(&mutex_);
    if (ending_ || (heard_ && leader == leader_)) return;
    heard_ = true;
    leader_ = leader;
    something_.SignalAll();
  }
  if (changed_) changed_(std::move(leader));
}

}  // namespace proffer::zk
