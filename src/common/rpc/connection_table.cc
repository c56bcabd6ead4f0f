#include "common/rpc/connection_table.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"

namespace proffer::rpc {
namespace {

// Looking through all of them for each one that is refused would be what a flood is after.
constexpr int64_t kSweepEveryMs = 100;
// Counting bears more: with tens of thousands of them a look takes tens of milliseconds.
constexpr int64_t kCountAnewMs = 1'000;

ino_t InodeOf(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

}  // namespace

std::string ConnectionTable::Take(int fd, const std::string& peer, Time now) {
  MutexLock lock(&mutex_);
  // The descriptor's former connection is closed, or it would not be this one's.
  if (auto it = connections_.find(fd); it != connections_.end()) Forget(it);
  std::string why_not = WhyNot(peer);
  if (!why_not.empty() && now - swept_ >= kSweepEveryMs) {
    swept_ = now;
    Sweep();
    why_not = WhyNot(peer);
  }
  if (!why_not.empty()) return why_not;
  connections_[fd] = {InodeOf(fd), peer};
  ++held_[peer];
  return "";
}

std::string ConnectionTable::WhyNot(const std::string& peer) const {
  if (connections_.size() >= most_) {
    return absl::StrCat("all ", most_,
                        " places for connections are taken; close some, or raise "
                        "--max_connections and the limit of descriptors");
  }
  const auto held = held_.find(peer);
  if (connections_.size() * 2 < most_ || held == held_.end() || held->second < most_of_peer_) {
    return "";
  }
  return absl::StrCat(peer, " holds ", held->second, " connections, and more than half of all ",
                      most_, " places are taken; the others are for peers that hold fewer than ",
                      most_of_peer_, ": use one connection for many calls");
}

int ConnectionTable::HangUpOnPushers() {
  int pushers = 0;
  MutexLock lock(&mutex_);
  Sweep();
  for (const auto& [fd, connection] : connections_) {
    int waiting = 0;
    if (ioctl(fd, FIONREAD, &waiting) != 0 || waiting == 0) continue;
    // Should it have become another's since, that one connects again.
    shutdown(fd, SHUT_RDWR);
    ++pushers;
  }
  return pushers;
}

void ConnectionTable::Sweep() {
  for (auto it = connections_.begin(); it != connections_.end();) {
    const auto next = std::next(it);
    if (InodeOf(it->first) != it->second.inode) Forget(it);
    it = next;
  }
}

void ConnectionTable::Forget(std::map<int, Connection>::iterator it) {
  const auto held = held_.find(it->second.peer);
  if (--held->second == 0) held_.erase(held);
  connections_.erase(it);
}

size_t ConnectionTable::CountOpen(Time now) {
  MutexLock lock(&mutex_);
  if (now - swept_ >= kCountAnewMs) {
    swept_ = now;
    Sweep();
  }
  return connections_.size();
}

}  // namespace proffer::rpc
