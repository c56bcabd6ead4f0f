#include "common/zookeeper/contender.h"

#include <glog/logging.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace proffer::zk {
namespace {

std::string PathOf(const std::string& node) { return absl::StrCat(kElectionPath, "/", node); }

// Of all that stand, in order. What is not a contender's is left out.
absl::StatusOr<std::vector<Contender::Rival>> Standing(Session* session) {
  ASSIGN_OR_RETURN(const std::vector<std::string> children,
                   session->Children(kElectionPath, /*watch=*/false));
  const std::vector<std::string> names = InOrder(children);
  std::vector<std::string> paths;
  for (const std::string& name : names) paths.push_back(PathOf(name));
  ASSIGN_OR_RETURN(const std::vector<std::optional<Node>> nodes, session->GetAll(paths));
  std::vector<Contender::Rival> standing;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!nodes[i]) continue;
    absl::StatusOr<LeaderInfo> info = ParseLeaderInfo(nodes[i]->data);
    if (info.ok()) {
      standing.push_back({names[i], nodes[i]->created_zxid, *std::move(info)});
    } else {
      LOG(WARNING) << PathOf(names[i]) << ": " << info.status().message();
    }
  }
  return standing;
}

// Our node, if a creation whose answer was lost has made it. Nothing of ours is under way any more:
// what the former server still had is refused once the session has moved to another one, and Sync
// waits for what was not.
absl::StatusOr<std::optional<std::string>> FindOwn(Session* session, const LeaderInfo& info) {
  RETURN_IF_ERROR(session->Sync());
  ASSIGN_OR_RETURN(const std::vector<Contender::Rival> standing, Standing(session));
  for (const Contender::Rival& one : standing) {
    if (one.info.instance == info.instance) return std::optional<std::string>(one.node);
  }
  return std::optional<std::string>();
}

}  // namespace

std::vector<std::string> InOrder(const std::vector<std::string>& children) {
  std::vector<std::string> contenders;
  for (const std::string& child : children) {
    if (absl::StartsWith(child, kContenderPrefix)) contenders.push_back(child);
  }
  // ZooKeeper pads the numbers to ten digits, so that names sort as numbers do.
  std::sort(contenders.begin(), contenders.end());
  return contenders;
}

absl::StatusOr<std::unique_ptr<Contender>> Contender::Stand(Session* session,
                                                            const LeaderInfo& info) {
  RETURN_IF_ERROR(Annotate(session->MakePath(kElectionPath), "stand for election"));
  std::optional<std::string> node;
  while (!node) {
    absl::StatusOr<std::string> made =
        session->CreateEphemeralSequential(PathOf(kContenderPrefix), Serialize(info));
    if (made.ok()) {
      node = *std::move(made);
    } else if (absl::IsUnavailable(made.status()) && session->state().ok()) {
      ASSIGN_OR_RETURN(node, FindOwn(session, info));
    } else {
      return Annotate(made.status(), "stand for election");
    }
  }
  std::unique_ptr<Contender> contender(new Contender(session, *std::move(node)));
  ASSIGN_OR_RETURN(contender->before_, Standing(session));
  std::erase_if(contender->before_,
                [&](const Rival& rival) { return rival.node >= contender->node_; });
  return contender;
}

void Contender::Withdraw() {
  withdrawn_ = true;
  session_->Poke();
}

absl::Status Contender::Wanted() const {
  if (withdrawn_) return absl::CancelledError("the contender has withdrawn");
  return session_->state();
}

absl::Status Contender::Gone() const {
  return absl::AbortedError(absl::StrCat("our node ", PathOf(node_), " in ",
                                         session_->address().ToString(),
                                         " was removed: another master took us for dead"));
}

absl::Status Contender::AwaitLead() const {
  while (true) {
    const uint64_t seen = session_->news();
    RETURN_IF_ERROR(Wanted());
    ASSIGN_OR_RETURN(const std::vector<std::string> children,
                     session_->Children(kElectionPath, /*watch=*/false));
    const std::vector<std::string> standing = InOrder(children);
    const auto ours = std::find(standing.begin(), standing.end(), node_);
    if (ours == standing.end()) return Gone();
    if (ours == standing.begin()) return absl::OkStatus();
    // Only the one before us: if all watched the leader, all would rush when it goes.
    ASSIGN_OR_RETURN(const std::optional<Node> before,
                     session_->Exists(PathOf(*(ours - 1)), /*watch=*/true));
    if (before) session_->AwaitNews(seen);
  }
}

absl::Status Contender::AwaitLoss() const {
  while (true) {
    const uint64_t seen = session_->news();
    RETURN_IF_ERROR(Wanted());
    ASSIGN_OR_RETURN(const std::optional<Node> ours,
                     session_->Exists(PathOf(node_), /*watch=*/true));
    if (!ours) return Gone();
    session_->AwaitNews(seen);
  }
}

absl::Status Contender::Remove(const Rival& rival) const {
  ASSIGN_OR_RETURN(const std::optional<Node> node,
                   session_->Exists(PathOf(rival.node), /*watch=*/false));
  if (!node) return absl::OkStatus();
  if (node->created_zxid != rival.created_zxid) {
    return absl::FailedPreconditionError(
        absl::StrCat(PathOf(rival.node), " is another contender's by now; it stays"));
  }
  const absl::Status removed = session_->Delete(PathOf(rival.node), node->version);
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

}  // namespace proffer::zk
