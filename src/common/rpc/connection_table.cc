#include "common/rpc/connection_table.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"

namespace proffer::rpc {
namespace {

// Looking through all of them for each one that is refused would be what a flood is after.
constexpr int64_t kSweepEveryMs = 100;
// Counting bears more: with tens of thousands of them a look takes tens of milliseconds.
constexpr int64_t kCountAnewMs = 1'000;

// All connections of unix sockets have this name.
constexpr char kUnix[] = "unix:";

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
  std::string why_not = WhyNot(peer, AccountOf(peer.name, now));
  if (!why_not.empty() && now - swept_ >= kSweepEveryMs) {
    Sweep(now);
    why_not = WhyNot(peer, AccountOf(peer.name, now));
  }
  if (!why_not.empty()) return why_not;
  Account& account = AccountOf(peer.name, now);
  ++account.held;
  --account.may_make;
  connections_[fd] = {InodeOf(fd), peer};
  if (peer.connection != kUnix) descriptors_[peer.connection] = fd;
  return "";
}

std::string ConnectionTable::WhyNot(const Peer& peer, const Account& account) const {
  if (connections_.size() >= limits_.most) {
    return absl::StrCat("all ", limits_.most,
                        " places for connections are taken; close some, or raise "
                        "--max_connections and the limit of descriptors");
  }
  if (account.may_make < 1) {
    return absl::StrCat(peer.name, " makes more than ", limits_.per_second_of_peer,
                        " connections a second; use one connection for many calls, or raise "
                        "--connects_of_peer for many clients behind one address");
  }
  if (connections_.size() * 2 < limits_.most || account.held < limits_.most_of_peer) return "";
  return absl::StrCat(peer.name, " holds ", account.held,
                      " connections, and more than half of all ", limits_.most,
                      " places are taken; the others are for peers that hold fewer than ",
                      limits_.most_of_peer, ": use one connection for many calls");
}

ConnectionTable::Account& ConnectionTable::AccountOf(const std::string& peer, Time now) {
  const auto [it, is_new] = accounts_.insert({peer, {}});
  if (is_new) it->second = {0, static_cast<double>(limits_.burst_of_peer), now};
  BringUpToDate(&it->second, now);
  return it->second;
}

void ConnectionTable::BringUpToDate(Account* account, Time now) const {
  account->may_make +=
      static_cast<double>((now - account->as_of) * limits_.per_second_of_peer) / 1'000;
  account->may_make = std::min(account->may_make, static_cast<double>(limits_.burst_of_peer));
  account->as_of = now;
}

bool ConnectionTable::HangUp(const std::string& connection) {
  MutexLock lock(&mutex_);
  const auto it = descriptors_.find(connection);
  if (it == descriptors_.end()) return false;
  const auto found = connections_.find(it->second);
  if (found == connections_.end() || found->second.inode != InodeOf(it->second)) return false;
  shutdown(it->second, SHUT_RDWR);
  return true;
}

int ConnectionTable::HangUpOnPushers() {
  int pushers = 0;
  MutexLock lock(&mutex_);
  for (const auto& [fd, connection] : connections_) {
    int waiting = 0;
    if (connection.peer.connection != kUnix || InodeOf(fd) != connection.inode ||
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
  for (auto& [peer, account] : accounts_) BringUpToDate(&account, now);
  std::erase_if(accounts_, [this](const auto& entry) {
    const Account& account = entry.second;
    return account.held == 0 && account.may_make >= static_cast<double>(limits_.burst_of_peer);
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
