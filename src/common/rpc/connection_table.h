// Who is connected to a server, so that no one peer takes all the places there are, or all the time
// that it takes to let them in. gRPC tells nobody when it closes a socket; a descriptor that is
// another socket by now says it as well.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "common/base/mutex.h"
#include "common/base/time.h"
#include "common/rpc/allowance.h"

namespace proffer::rpc {

// THREAD: any.
class ConnectionTable {
 public:
  struct Limits {
    size_t most = 0;              // How many connections there may be.
    size_t most_of_peer = 0;      // How many of one peer once half of all places are taken.
    Allowance::Rate new_of_peer;  // How many a peer may make.
  };
  // The other end of a connection.
  struct Peer {
    std::string name;  // A process, or a machine.
    // As gRPC calls it (live_streams.h); empty: a unix socket's, all of which have one name there.
    std::string connection;
  };

  explicit ConnectionTable(const Limits& limits) : limits_(limits) {}

  // Takes the connection down as one of that peer's. Otherwise says why not: there are too many, or
  // too many of them are this peer's (the second half of the places is for those who hold few), or
  // too many were made of late.
  std::string Take(int fd, const Peer& peer, Time now);

  // Hangs up on a connection that was misused, if it is one of ours, and lets its peer make fewer
  // for a while: what it does again it does again soon. True: it was, and was open.
  bool HangUpOnStorm(const std::string& connection, Time now);
  // Hangs up on those of unix sockets that send faster than they are served: something that they
  // have sent waits in their sockets. How many that were.
  int HangUpOnPushers();

  // How many there are, or were a second ago.
  size_t CountOpen(Time now);

 private:
  struct Connection {
    ino_t inode = 0;
    Peer peer;
  };
  struct Account {
    size_t held = 0;
    Allowance making;
  };

  std::string WhyNot(const std::string& peer, Time now) REQUIRES_MUTEX(mutex_);
  // Forgets what is closed, and peers of whom there is nothing to remember.
  void Sweep(Time now) REQUIRES_MUTEX(mutex_);
  void Forget(std::map<int, Connection>::iterator it) REQUIRES_MUTEX(mutex_);
  Account& AccountOf(const std::string& peer, Time now) REQUIRES_MUTEX(mutex_);

  const Limits limits_;
  Mutex mutex_;
  std::map<int, Connection> connections_ GUARDED_BY_MUTEX(mutex_);    // By descriptor.
  std::map<std::string, int> descriptors_ GUARDED_BY_MUTEX(mutex_);   // By name; not of unix's.
  std::map<std::string, Account> accounts_ GUARDED_BY_MUTEX(mutex_);  // By peer.
  Time swept_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::rpc
