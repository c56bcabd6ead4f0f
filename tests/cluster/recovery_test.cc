// kill -9 of the agent, of the master, and of both: tasks never notice, and nothing is lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "proffer/framework.h"
#include "proffer/state_store.h"
#include "proffer/units.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::MiniCluster;

// Tasks that write down their pid and then wait at a gate of their own.
class Gates {
 public:
  Gates(const std::string& directory, int count) : directory_(directory + "/gates") {
    mkdir(directory_.c_str(), 0700);
    for (int i = 0; i < count; ++i) EXPECT_EQ(mkfifo(Gate(i).c_str(), 0600), 0);
  }
  std::string Command(int i) const {
    return absl::StrCat("echo $$ >> ", Pid(i), "; read line < ", Gate(i), "; exit 0");
  }
  // Opens as soon as the task stands at the gate.
  void Open(int i) const {
    const int fd = open(Gate(i).c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, "go\n", 3), 3);
    close(fd);
  }
  // A line for each time that the task was started.
  std::string Starts(int i) const {
    std::ifstream file(Pid(i));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  std::string Gate(int i) const { return absl::StrCat(directory_, "/gate", i); }
  std::string Pid(int i) const { return absl::StrCat(directory_, "/pid", i); }
  const std::string directory_;
};

class RecoveryTest : public ::testing::TestWithParam<std::string> {};

TEST_P(RecoveryTest, FiftyTasksKeepTheirPidsAndEveryEndIsToldOnce) {
  constexpr int kTasks = 50;
  MiniCluster cluster({.agents = 1, .resources = "cpus:8;mem:4GiB"});
  const Gates gates(cluster.directory(), kTasks);
  auto framework = Framework::Start({.name = "recovery",
                                     .master = cluster.address(),
                                     .state_store = std::make_shared<MemoryStateStore>()});
  ASSERT_TRUE(framework.ok()) << framework.status();
  std::vector<proffer::Run> runs;
  Mutex mutex;
  std::map<int, int> ends;
  for (int i = 0; i < kTasks; ++i) {
    runs.push_back(
        (*framework)
            ->Submit(Task{absl::StrCat("t", i)}.Command(gates.Command(i)).Cpus(0.1).Mem(16_MiB)));
    runs.back().OnDone([&mutex, &ends, i](const Result&) {
      MutexLock lock(&mutex);
      ++ends[i];
    });
  }
  const auto running = [](const std::vector<v1::Object>& tasks) {
    return kTasks == std::count_if(tasks.begin(), tasks.end(), [](const v1::Object& o) {
             return o.task().state() == v1::RUNNING;
           });
  };
  cluster.WaitUntil(v1::TASKS, running);
  std::vector<std::string> before;
  for (int i = 0; i < kTasks; ++i) before.push_back(gates.Starts(i));

  const std::string victim = GetParam();
  if (victim != "master") cluster.KillAgent(1);
  if (victim != "agent") cluster.KillMaster();
  // Half of them end while nobody is there to see it.
  for (int i = 0; i < kTasks / 2; ++i) gates.Open(i);
  if (victim != "agent") cluster.StartMaster();
  if (victim != "master") cluster.StartAgent(1);
  for (int i = kTasks / 2; i < kTasks; ++i) gates.Open(i);

  for (int i = 0; i < kTasks; ++i) {
    const Result& result = runs[i].Wait();
    EXPECT_EQ(result.state, TaskState::kFinished) << i << ": " << result.message;
    EXPECT_EQ(result.launches, 1);
    EXPECT_EQ(gates.Starts(i), before[i]) << "task " << i << " was started again";
  }
  EXPECT_TRUE((*framework)->WaitAll());
  cluster.WaitUntil(v1::TASKS, [](const std::vector<v1::Object>& tasks) {
    return std::none_of(tasks.begin(), tasks.end(),
                        [](const v1::Object& o) { return o.task().unacknowledged(); });
  });
  {
    MutexLock lock(&mutex);
    EXPECT_EQ(ends.size(), static_cast<size_t>(kTasks));
    for (const auto& [i, times] : ends) EXPECT_EQ(times, 1) << "end of task " << i;
  }
  cluster.WaitUntil(v1::AGENTS,
                    [&cluster](const std::vector<v1::Object>&) { return cluster.AllFree(); });
}

INSTANTIATE_TEST_SUITE_P(KillNine, RecoveryTest, ::testing::Values("agent", "master", "both"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace proffer
