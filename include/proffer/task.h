// A task to run: what, with which resources, where, for how long.
//
//   proffer::Task{"web"}.Command("httpd -p $PORT0").Cpus(0.5).Mem(256_MiB).Ports(1)
//
// A value: copy it, keep it, launch it again. A wrong value is remembered, not thrown: status()
// tells, and so does whoever is handed the task.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proffer/constraints.h"
#include "proffer/quantity.h"

namespace proffer {

class Task {
 public:
  // The name is for people; it is also the task's id unless Id says otherwise, so it has to be of
  // [A-Za-z0-9._-]{1,128}. An id is unique among the framework's tasks that have not ended.
  explicit Task(std::string name);
  Task& Id(std::string id);

  // --- What runs ---
  // A line for /bin/sh. Replaces a former Command or Args.
  Task& Command(std::string line);
  // A program and its arguments, without a shell; looked up in PATH unless it has a slash.
  Task& Args(std::vector<std::string> argv);
  Task& Env(std::string name, std::string value);
  Task& User(std::string user);                   // Default: the agent's default user.
  Task& WorkingDirectory(std::string directory);  // Default: the sandbox.
  Task& Label(std::string name, std::string value);

  // --- Resources. At least one; each replaces a former value of its kind. ---
  Task& Cpus(double cores);  // Counted in thousandths; 0.1 is exactly 100 of them.
  Task& Mem(int64_t bytes);  // See units.h: Mem(32_MiB).
  Task& Disk(int64_t bytes);
  Task& Gpus(int64_t devices);
  Task& Ports(int64_t count);  // The task finds them in PORT0, PORT1, ...
  // Any kind, in the units of quantity.h, or as text: Amounts("cpus:0.5;mem:1GiB;licences:1").
  Task& Amount(absl::string_view kind, int64_t count);
  Task& Amounts(absl::string_view text);

  // --- Where ---
  Task& Role(std::string role);  // Default: the framework's first.
  // One more thing that must hold of the agent, for instance "rack==r1" (constraints.h).
  Task& Require(absl::string_view constraint);

  // --- How it is contained; agents without containers enforce none of it. ---
  Task& CpuLimit(double cores);    // Never more than that, even of idle ones. Default none.
  Task& PidsLimit(int64_t count);  // Processes and threads. Default the agent's, 1024.
  // Kept, as "NET_BIND_SERVICE"; the agent's launcher must allow it. Default none.
  Task& Capability(std::string name);

  // --- How long ---
  Task& KillGrace(std::chrono::milliseconds grace);   // SIGTERM to SIGKILL. Default 5 s.
  Task& MaxRunTime(std::chrono::milliseconds limit);  // Default none.
  // Ends it when it was cut off from the leading master for so long. Default never.
  Task& StopAfterDisconnect(std::chrono::milliseconds limit);

  // OK, or the first thing that is wrong with it.
  const absl::Status& status() const { return status_; }
  const std::string& name() const { return name_; }
  const std::string& id() const { return id_; }
  const std::vector<std::string>& args() const { return args_; }
  const std::map<std::string, std::string>& env() const { return env_; }
  const std::string& user() const { return user_; }
  const std::string& working_directory() const { return working_directory_; }
  const std::map<std::string, std::string>& labels() const { return labels_; }
  const Quantities& amounts() const { return amounts_; }
  const std::string& role() const { return role_; }
  const Constraints& constraints() const { return constraints_; }
  int64_t cpu_limit_milli() const { return cpu_limit_milli_; }
  int64_t pids_limit() const { return pids_limit_; }
  const std::vector<std::string>& capabilities() const { return capabilities_; }
  int64_t kill_grace_ms() const { return kill_grace_ms_; }
  int64_t max_run_time_ms() const { return max_run_time_ms_; }
  int64_t stop_after_disconnect_ms() const { return stop_after_disconnect_ms_; }

 private:
  void Wrong(const std::string& what);
  // What travels has to be UTF-8.
  void Check(const char* what, const std::string& text);
  // Of a number of processors; -1 and Wrong if it is none.
  int64_t Thousandths(const char* what, double cores);
  int64_t Milliseconds(const char* what, std::chrono::milliseconds value);

  std::string name_;
  std::string id_;
  std::vector<std::string> args_;
  std::map<std::string, std::string> env_;
  std::string user_;
  std::string working_directory_;
  std::map<std::string, std::string> labels_;
  Quantities amounts_;
  std::string role_;
  Constraints constraints_;
  int64_t cpu_limit_milli_ = 0;
  int64_t pids_limit_ = 0;
  std::vector<std::string> capabilities_;
  int64_t kill_grace_ms_ = 0;
  int64_t max_run_time_ms_ = 0;
  int64_t stop_after_disconnect_ms_ = 0;
  absl::Status status_;
};

}  // namespace proffer
