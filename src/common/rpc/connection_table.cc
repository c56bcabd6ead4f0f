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

// A peer that misuses a connection may make so many fewer.
constexpr int64_t kConnectsForfeited = 100;

ino_t InodeOf(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

}  // namespace

std::string ConnectionTable::Take(int fd, const Peer& peer, Time now) {
  MutexLock lock(&mutex_);
  // The descriptor's former connection is closed, or it would not be this one's.
  if (auto it = connections_.find(fd); it != connections_.end()) Forget(it);
  if (accounts_.size() > 2 * connections_.size() + 1'000 && now - swept_ >= kSweepEveryMs) {
    Sweep(now);
  }
  std::string why_not = WhyNot(peer.name, now);
  if (!why_not.empty() && now - swept_ >= kSweepEveryMs) {
    Sweep(now);
    why_not = WhyNot(peer.name, now);
  }
  if (!why_not.empty()) return why_not;
  Account& account = AccountOf(peer.name, now);
  ++account.held;
  account.making.Take(now);
  connections_[fd] = {InodeOf(fd), peer};
  if (!peer.connection.empty()) descriptors_[peer.connection] = fd;
  return "";
}

std::string ConnectionTable::WhyNot(const std::string& peer, Time now) {
  Account& account = AccountOf(peer, now);
  if (connections_.size() >= limits_.most) {
    return absl::StrCat("all ", limits_.most,
                        " places for connections are taken; close some, or raise "
                        "--max_connections and the limit of descriptors");
  }
  if (!account.making.Has(now)) {
    return absl::StrCat(peer, " makes more than ", limits_.new_of_peer.per_second,
                        " connections a second; use one connection for many calls, or raise "
                        "--connects_of_peer for many clients behind one address");
  }
  if (connections_.size() * 2 < limits_.most || account.held < limits_.most_of_peer) return "";
  return absl::StrCat(peer, " holds ", account.held, " connections, and more than half of all ",
                      limits_.most,
                      " places are taken; the others are for peers that hold fewer than ",
                      limits_.most_of_peer, ": use one connection for many calls");
}

ConnectionTable::Account& ConnectionTable::AccountOf(const std::string& peer, Time now) {
  return accounts_.insert({peer, {0, Allowance(limits_.new_of_peer, now)}}).first->second;
}

bool ConnectionTable::HangUpOnStorm(const std::string& connection, Time now) {
  MutexLock lock(&mutex_);
  const auto named = descriptors_.find(connection);
  if (named == descriptors_.end()) return false;
  const int fd = named->second;
  const Connection& one = connections_.find(fd)->second;
  descriptors_.erase(named);
  if (one.inode != InodeOf(fd)) return false;
  shutdown(fd, SHUT_RDWR);
  AccountOf(one.peer.name, now).making.Withdraw(kConnectsForfeited, now);
  return true;
}

int ConnectionTable::HangUpOnPushers() {
  int pushers = 0;
  MutexLock lock(&mutex_);
  for (const auto& [fd, connection] : connections_) {
    int waiting = 0;
    if (!connection.peer.connection.empty() || InodeOf(fd) != connection.inode ||
        ioctl(fd, FIONREAD, &waiting) != 0 || waiting == 0) {
      continue;
    }
    // Should it have become another's since, that one connects again.
    shutdown(fd, SHUT_RDWR);
    ++pushers;
  }
  return pushers;
}

void ConnectionTable::Sweep(Time now) {
  swept_ = now;
  for (auto it = connections_.begin(); it != connections_.end();) {
    const auto next = std::next(it);
    if (InodeOf(it->first) != it->second.inode) Forget(it);
    it = next;
  }
  std::erase_if(accounts_, [now](const auto& entry) {
    return entry.second.held == 0 && entry.second.making.IsWhole(now);
  });
}

void ConnectionTable::Forget(std::map<int, Connection>::iterator it) {
  const Peer& peer = it->second.peer;
  --accounts_.find(peer.name)->second.held;
  if (const auto named = descriptors_.find(peer.connection);
      named != descriptors_.end() && named->second == it->first) {
    descriptors_.erase(named);
  }
  connections_.erase(it);
}

size_t ConnectionTable::CountOpen(Time now) {
  MutexLock lock(&mutex_);
  if (now - swept_ >= kCountAnewMs) Sweep(now);
  return connections_.size();
}

}  // namespace proffer::rpc
