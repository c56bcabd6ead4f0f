// Real ZooKeeper servers on loopback, in a directory of their own, that can be killed, paused and
// started again. Leaves nothing behind.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/child_process.h"

namespace proffer::testing {

class ZooKeeperEnsemble {
 public:
  // Why there can be none on this machine, a sentence; empty: there can.
  static std::string WhyNot();

  // All servers take clients in when this returns. One server is an ensemble of its own.
  explicit ZooKeeperEnsemble(int servers = 3);
  ~ZooKeeperEnsemble();
  ZooKeeperEnsemble(const ZooKeeperEnsemble&) = delete;
  ZooKeeperEnsemble& operator=(const ZooKeeperEnsemble&) = delete;

  int size() const { return static_cast<int>(servers_.size()); }
  // Of one server, "127.0.0.1:port".
  std::string server(int number) const;
  // "zk://…" of all of them.
  std::string address(const std::string& chroot) const;

  void Kill(int number);
  // What it had stored is still there.
  void Start(int number);
  void Pause(int number) const;
  void Resume(int number) const;
  // Until every server that runs takes clients in.
  void AwaitServing() const;

  // A session lives at least 2 and at most 20 of these.
  static constexpr int kTickMs = 500;

 private:
  struct Server {
    int port = 0;
    int peer_port = 0;
    int election_port = 0;
    std::unique_ptr<ChildProcess> process;
  };

  std::string DirectoryOf(int number) const;
  std::string Mode(int number) const;

  std::string directory_;
  std::vector<Server> servers_;
};

}  // namespace proffer::testing
