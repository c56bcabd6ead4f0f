// The cluster of a run: which daemons, with which flags, and what there is to be seen of it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chaos/judges/judges.h"
#include "chaos/network.h"
#include "chaos/supervisor.h"
#include "chaos/wall_clocks.h"
#include "common/leader/leader_finder.h"
#include "proffer/v1/operator.grpc.pb.h"

namespace proffer::chaos {

class Cluster {
 public:
  // All but the schedulers is started, nothing waited for. `directory` is ours alone, on tmpfs, its
  // path short and visible in containers. `groups` begins the names of the agents' control groups;
  // empty: tasks are not contained. `seed` is of what the network does.
  Cluster(std::string directory, std::string groups, uint64_t seed, Supervisor* supervisor);
  void StartSchedulers();

  Network& network() { return network_; }
  WallClocks& clocks() { return clocks_; }
  // "m2"; empty: none is known.
  std::string Leader() const;
  // Whether a majority of ZooKeeper's servers follows one of them. Takes a second at most.
  bool EnsembleServes() const;
  // Every agent the leader knows; nullopt: no leader answers. Takes a second at most.
  std::optional<std::vector<v1::AgentView>> Agents();

  // Nothing can be written into the full disk's work directory until it is emptied again.
  void FillDisk() const;
  void EmptyDisk() const;

  // What the daemons watch for; see scheduler_main.cc.
  void Quiet() const;
  void Release() const;

  std::string witness() const { return ReadAt("/witness"); }
  std::string clients() const { return ReadAt("/clients"); }
  std::string log(const std::string& daemon) const { return ReadAt("/logs/" + daemon + ".log"); }
  // Where they are, by name.
  std::map<std::string, std::string> MasterLogs() const;
  // What is left on this host of tasks: processes that are no daemons, run directories, groups.
  std::vector<std::string> Remains() const;
  // What masters, agents and launchers hold now; those that are there. A master's name is what it
  // does, "leader" or "standby": of several the one that holds more.
  std::map<std::string, Holdings> HoldingsNow() const;
  // What a server has written down of each transaction, as text; left in the logs, for people.
  std::string TransactionLog(int server) const;
  std::string zookeeper() const;

  static constexpr int kLongTasks = 50;
  static constexpr int64_t kSessionMs = 3'000;

 private:
  std::string ReadAt(const std::string& path) const;
  std::string PathOf(const std::string& daemon) const { return directory_ + "/" + daemon; }
  std::string GroupsOf(int agent) const { return groups_ + "-a" + std::to_string(agent); }
  std::string MasterAddress(int number) const;
  void AddZooKeeper(int number);
  void AddMaster(int number);
  void AddAgent(int number);
  void AddScheduler(int number);
  void Add(const std::string& daemon, const std::string& node, std::vector<std::string> words);
  // The same with a wall clock that can be set.
  void AddWithClock(const std::string& daemon, std::vector<std::string> words);

  const std::string directory_;
  const std::string groups_;
  Supervisor* const supervisor_;
  Network network_;
  WallClocks clocks_;
  std::unique_ptr<LeaderFinder> finder_;
};

}  // namespace proffer::chaos
