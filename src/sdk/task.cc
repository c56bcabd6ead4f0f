// The builder of tasks.
#include "proffer/task.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/utf8.h"

namespace proffer {

void Task::Wrong(const std::string& what) {
  if (!status_.ok()) return;  // The first thing that is wrong is the one to repair.
  status_ = absl::InvalidArgumentError(
      absl::StrCat("task \"", absl::CHexEscape(name_.substr(0, 128)), "\": ", what));
}

void Task::Check(const char* what, const std::string& text) {
  if (IsUtf8(text)) return;
  Wrong(absl::StrCat(what, " \"", absl::CHexEscape(text.substr(0, 60)),
                     "\" is not UTF-8; encode it, for instance in base64"));
}

int64_t Task::Milliseconds(const char* what, std::chrono::milliseconds value) {
  if (value.count() < 0) {
    Wrong(absl::StrCat(what, " is ", value.count(), " ms; expected 0 or more"));
    return 0;
  }
  return value.count();
}

Task::Task(std::string name) : name_(std::move(name)), id_(name_) { Check("its name", name_); }

Task& Task::Id(std::string id) {
  Check("its id", id);
  id_ = std::move(id);
  return *this;
}

Task& Task::Command(std::string line) { return Args({"/bin/sh", "-c", std::move(line)}); }

Task& Task::Args(std::vector<std::string> argv) {
  if (argv.empty() || argv[0].empty()) {
    Wrong("the program is empty; name one");
    return *this;
  }
  for (const std::string& arg : argv) Check("argument", arg);
  args_ = std::move(argv);
  return *this;
}

Task& Task::Env(std::string name, std::string value) {
  if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos) {
    Wrong(absl::StrCat("\"", name, "\" cannot be the name of an environment variable"));
    return *this;
  }
  Check("environment variable", name);
  Check("environment value", value);
  env_[std::move(name)] = std::move(value);
  return *this;
}

Task& Task::User(std::string user) {
  Check("its user", user);
  user_ = std::move(user);
  return *this;
}

Task& Task::WorkingDirectory(std::string directory) {
  Check("its working directory", directory);
  working_directory_ = std::move(directory);
  return *this;
}

Task& Task::Label(std::string name, std::string value) {
  Check("label", name);
  Check("value of a label", value);
  labels_[std::move(name)] = std::move(value);
  return *this;
}

int64_t Task::Thousandths(const char* what, double cores) {
  const double thousandths = cores * 1000;
  if (!(thousandths >= 0) || thousandths > 1e15) {
    Wrong(absl::StrCat(what, " ", cores, " cpus; expected a number from 0 on"));
    return -1;
  }
  const int64_t count = std::llround(thousandths);
  if (std::fabs(thousandths - static_cast<double>(count)) > 1e-6 * std::fmax(1, thousandths)) {
    Wrong(absl::StrCat(what, " ", cores, " cpus; at most 3 decimals are counted"));
    return -1;
  }
  return count;
}

Task& Task::Cpus(double cores) {
  const int64_t count = Thousandths("it wants", cores);
  return count < 0 ? *this : Amount(kCpus, count);
}

Task& Task::CpuLimit(double cores) {
  cpu_limit_milli_ = std::max<int64_t>(Thousandths("it is limited to", cores), 0);
  return *this;
}

Task& Task::PidsLimit(int64_t count) {
  if (count < 0) Wrong(absl::StrCat("it is limited to ", count, " processes; expected 0 or more"));
  pids_limit_ = std::max<int64_t>(count, 0);
  return *this;
}

Task& Task::Capability(std::string name) {
  Check("a capability", name);
  capabilities_.push_back(std::move(name));
  return *this;
}

Task& Task::Mem(int64_t bytes) { return Amount(kMem, bytes); }
Task& Task::Disk(int64_t bytes) { return Amount(kDisk, bytes); }
Task& Task::Gpus(int64_t devices) { return Amount(kGpus, devices); }
Task& Task::Ports(int64_t count) { return Amount(kPorts, count); }

Task& Task::Amount(absl::string_view kind, int64_t count) {
  if (count < 0) {
    Wrong(absl::StrCat("it wants ", count, " of ", kind, "; expected 0 or more"));
    return *this;
  }
  amounts_.Set(kind, count);
  return *this;
}

Task& Task::Amounts(absl::string_view text) {
  const absl::StatusOr<Quantities> parsed = Quantities::Parse(text);
  if (!parsed.ok()) {
    Wrong(std::string(parsed.status().message()));
    return *this;
  }
  for (const auto& [kind, count] : parsed->items()) amounts_.Set(kind, count);
  return *this;
}

Task& Task::Role(std::string role) {
  Check("its role", role);
  role_ = std::move(role);
  return *this;
}

Task& Task::Require(absl::string_view constraint) {
  absl::StatusOr<Constraint> parsed = Constraint::Parse(constraint);
  if (!parsed.ok()) {
    Wrong(std::string(parsed.status().message()));
    return *this;
  }
  constraints_.push_back(*std::move(parsed));
  return *this;
}

Task& Task::KillGrace(std::chrono::milliseconds grace) {
  kill_grace_ms_ = Milliseconds("the kill grace", grace);
  if (kill_grace_ms_ > limits::kKillGraceMaxMs) {
    Wrong(absl::StrCat("the kill grace is ", kill_grace_ms_, " ms; at most 1 h is allowed"));
  }
  return *this;
}

Task& Task::MaxRunTime(std::chrono::milliseconds limit) {
  max_run_time_ms_ = Milliseconds("the longest run time", limit);
  return *this;
}

Task& Task::StopAfterDisconnect(std::chrono::milliseconds limit) {
  stop_after_disconnect_ms_ = Milliseconds("the time to stop after a disconnection", limit);
  return *this;
}

}  // namespace proffer
