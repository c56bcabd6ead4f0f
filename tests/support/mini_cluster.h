// A cluster of real processes for tests and benchmarks: masters and agents on unix sockets in a
// directory of their own, that can be killed and started again. Leaves nothing behind.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/leader/leader_finder.h"
#include "proffer/v1/operator.grpc.pb.h"
#include "support/launcher_process.h"

namespace proffer::testing {

class MiniCluster {
 public:
  struct Options {
    int agents = 3;
    std::string resources = "cpus:4;mem:2GiB;ports:[31000-31009]";
    std::vector<std::string> master_flags;
    std::vector<std::string> agent_flags;
    std::string cluster = "test";
    bool on_disk = true;     // False: the master keeps its registry in memory.
    bool contained = false;  // Tasks run in containers; otherwise in process groups.
    // With "zk://…" so many masters stand for election there; else there is one.
    std::string zookeeper;
    int masters = 1;
    bool tcp = false;            // Masters are reached by TCP on loopback.
    int master_descriptors = 0;  // How many a master may have open; 0: as many as we.
    bool by_list = false;        // Agents and frameworks are given the masters, not the ensemble.
    std::string binaries;        // Where the first daemons come from; empty: this build.
  };

  explicit MiniCluster(Options options);
  ~MiniCluster();

  // One life of a daemon.
  struct Life {
    std::string program = "proffer-agent";
    std::vector<std::string> environment;  // "NAME=value"
    std::string boot_id;                   // That it is to find instead of the machine's.
    int descriptors = 0;                   // How many it may have open; 0: as many as we.
  };

  // Started, and agents registered, when these return.
  void StartMaster(int number = 1);
  void StartAgent(int number) { StartAgent(number, Life()); }
  void StartAgent(int number, const Life& life);
  // An agent in a work directory that another cluster may have used. Returns its last words, when
  // it has ended by itself.
  std::string RunAgentIn(const std::string& work_dir);
  void WaitForAgents(int connected);

  // Daemons that are started from now on come from that directory: another build of them.
  void UseBinaries(const std::string& directory) { binaries_ = directory; }

  // SIGKILL; returns when the process is gone.
  void KillMaster(int number = 1);
  // SIGSTOP and SIGCONT.
  void PauseMaster(int number) const;
  void ResumeMaster(int number) const;
  // Waits until it ends by itself.
  int AwaitMasterEnd(int number);
  void KillAgent(int number);
  // SIGTERM; returns its exit status, as from waitpid, when it is gone.
  int StopAgent(int number);
  // Waits until it ends by itself, but is killed after 20 s.
  int AwaitAgentEnd(int number);
  // Like a power cut: of agent, launcher, shims and tasks nothing lives on, nor what the kernel
  // held for them. What they left in the runtime directory goes too, if it was on tmpfs.
  void CutPower(int number, bool runtime_on_tmpfs);
  void KillLauncher(int number);
  void StartLauncher(int number);

  const std::string& directory() const { return directory_; }
  // Where everybody looks for the leader.
  std::string address() const;
  // Of one master.
  std::string master_address(int number) const;
  pid_t master_pid(int number = 1) const { return masters_.at(number); }
  // The number of the master that leads; waits until there is one.
  int Leader();
  std::string work_dir(int agent) const;
  std::string runtime_dir(int agent) const;
  std::string agent_log(int agent) const;
  pid_t agent_pid(int number) const { return agents_.at(number); }
  const LauncherProcess& launcher(int number) const { return *launchers_.at(number); }

  // To the master that leads.
  v1::OperatorService::Stub& stub();
  std::vector<v1::Object> List(v1::Kind kind, bool live_only = false);
  // Watches until `done` says so of the objects of that kind. Fails the test after 60 s.
  void WaitUntil(v1::Kind kind, const std::function<bool(const std::vector<v1::Object>&)>& done);
  // Everything free again, on every agent.
  bool AllFree();

  // What is left of that agent's containers: processes, control groups, run directories. Empty once
  // everything was ended and acknowledged.
  std::vector<std::string> Remains(int agent) const;
  // Until there is no such thing, or 20 s have passed; returns what there is.
  std::vector<std::string> AwaitNoRemains(int agent) const;
  // Shims of that agent, and tasks whose environment is that of the agent's.
  std::vector<pid_t> ShimsAndTasks(int agent) const;

  // Processes that carry this cluster's directory in their command line or environment, other
  // than the daemons.
  std::vector<pid_t> TaskProcesses() const;

 private:
  pid_t Spawn(const Life& life, const std::vector<std::string>& arguments, const std::string& log);
  static int Kill(pid_t* pid, int signal);

  const Options options_;
  std::string binaries_;
  std::string directory_;
  std::string runtime_directory_;
  std::map<int, pid_t> masters_;
  std::map<int, int> ports_;  // Of masters, with `tcp`.
  std::map<int, pid_t> agents_;
  std::map<int, std::unique_ptr<LauncherProcess>> launchers_;
  std::unique_ptr<LeaderFinder> finder_;
  rpc::Address stub_to_;
  std::unique_ptr<v1::OperatorService::Stub> stub_;
};

// Rounded up: the `percent`-th of the sorted values.
double Percentile(std::vector<double> values, double percent);

}  // namespace proffer::testing
