// Who is connected to a server, so that no one peer takes all the places there are. gRPC tells
// nobody when it closes a socket; a descriptor that is another socket by now says it as well.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "common/base/mutex.h"
#include "common/base/time.h"

namespace proffer::rpc {

// THREAD: any.
class ConnectionTable {
 public:
  // `most`: how many connections there may be; `most_of_peer`: how many of one peer once half of
  // all places are taken.
  ConnectionTable(size_t most, size_t most_of_peer) : most_(most), most_of_peer_(most_of_peer) {}

  // Takes the connection down as one of that peer's: a process, or a machine. Otherwise says why
  // not: there are too many, or too many of them are this peer's (the second half of the places is
  // for those who hold few).
  std::string Take(int fd, const std::string& peer, Time now);

  // Hangs up on those who send faster than they are served: something that they have sent waits in
  // their sockets. How many that were.
  int HangUpOnPushers();

  // How many there are, or were a second ago.
  size_t CountOpen(Time now);

 private:
  struct Connection {
    ino_t inode = 0;
    std::string peer;
  };

  std::string WhyNot(const std::string& peer) const REQUIRES_MUTEX(mutex_);
  // Forgets what is closed.
  void Sweep() REQUIRES_MUTEX(mutex_);
  void Forget(std::map<int, Connection>::iterator it) REQUIRES_MUTEX(mutex_);

  const size_t most_;
  const size_t most_of_peer_;
  Mutex mutex_;
  std::map<int, Connection> connections_ GUARDED_BY_MUTEX(mutex_);  // By descriptor.
  std::map<std::string, size_t> held_ GUARDED_BY_MUTEX(mutex_);     // By peer.
  Time swept_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::rpc
