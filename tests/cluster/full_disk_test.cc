// A disk that is full, or answers every call with an error: whoever cannot write down what is so
// ends with a sentence and says nothing. Tasks live on, and once the disk is well and the daemon
// started again, everything is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cluster/counted_tasks.h"
#include "proffer/framework.h"
#include "proffer/state_store.h"
#include "support/gates.h"
#include "support/loop_disk.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::AwaitRunning;
using testing::CountedTasks;
using testing::Gates;
using ::testing::HasSubstr;
using testing::LoopDisk;
using testing::MiniCluster;

enum class Fault { kFull, kBroken };

// The last line that has this in it: other threads may still have said something after it.
std::string LastLineWith(const std::string& text, const std::string& log) {
  const size_t at = log.rfind(text);
  if (at == std::string::npos) return "";
  const size_t begin = log.rfind('\n', at) + 1;
  return log.substr(begin, log.find('\n', at) - begin);
}

void ExpectSentence(const std::string& line, Fault fault) {
  EXPECT_THAT(line,
              HasSubstr(fault == Fault::kFull ? "No space left on device" : "Input/output error"));
  EXPECT_THAT(line, HasSubstr("make room on the disk"));
}

void Begin(const LoopDisk& disk, Fault fault) {
  if (fault == Fault::kFull) {
    disk.Fill();
  } else {
    disk.CutPower();
  }
}

void Mend(LoopDisk* disk, Fault fault) {
  if (fault == Fault::kFull) {
    disk->MakeRoom();
  } else {
    disk->Remount();
  }
}

class AgentDiskTest : public ::testing::TestWithParam<std::tuple<Fault, bool>> {};

TEST_P(AgentDiskTest, TheAgentEndsWithASentenceAndTellsEverythingLater) {
  const auto [fault, contained] = GetParam();
  if (const std::string missing = LoopDisk::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  if (contained && !testing::CanContain(true)) GTEST_SKIP() << "containers need cgroups";
  // More ends than fit into what is left of a block.
  constexpr int kTasks = 24;
  constexpr int kStay = 4;
  MiniCluster cluster({.agents = 0, .contained = contained});
  const std::string checkpoint = cluster.work_dir(1) + "/checkpoint";
  mkdir(cluster.work_dir(1).c_str(), 0711);
  mkdir(checkpoint.c_str(), 0700);
  // A broken disk is unmounted for repair, so no task may live in it.
  LoopDisk disk(fault == Fault::kFull ? cluster.work_dir(1) : checkpoint, 16);
  cluster.StartAgent(1);
  cluster.WaitForAgents(1);
  const std::string agent = cluster.List(v1::AGENTS)[0].agent().agent_id();
  const Gates gates(cluster.directory(), kTasks);
  CountedTasks tasks(cluster);
  for (int i = 0; i < kTasks; ++i) tasks.Submit(i, gates.Command(i, i % 3));
  AwaitRunning(&cluster, kTasks);

  Begin(disk, fault);
  for (int i = kStay; i < kTasks; ++i) gates.Open(i);
  int status = cluster.AwaitAgentEnd(1);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << "status " << status;
  std::string last = LastLineWith("could not be made durable", cluster.agent_log(1));
  EXPECT_THAT(last, HasSubstr(checkpoint));
  ExpectSentence(last, fault);
  // A start changes nothing as long as the disk is what it is.
  cluster.StartAgent(1);
  status = cluster.AwaitAgentEnd(1);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << "status " << status;
  last = LastLineWith("proffer-agent: ", cluster.agent_log(1));
  EXPECT_THAT(last, HasSubstr(checkpoint));
  ExpectSentence(last, fault);
  EXPECT_GE(cluster.ShimsAndTasks(1).size(), static_cast<size_t>(kStay)) << "tasks noticed";

  Mend(&disk, fault);
  cluster.StartAgent(1);
  for (int i = 0; i < kStay; ++i) gates.Open(i);
  for (int i = 0; i < kTasks; ++i) {
    const Result& end = tasks.End(i);
    EXPECT_EQ(end.exit_code, i % 3) << i << ": " << end.message;
    EXPECT_EQ(end.agent_id, agent);
    EXPECT_EQ(end.launches, 1);
    EXPECT_EQ(gates.Starts(i), 1);
  }
  tasks.ExpectOneEndEach();
  testing::ExpectNothingLeft(&cluster);
  cluster.StopAgent(1);
  cluster.KillLauncher(1);
}

INSTANTIATE_TEST_SUITE_P(Worlds, AgentDiskTest,
                         ::testing::Combine(::testing::Values(Fault::kFull, Fault::kBroken),
                                            ::testing::Bool()),
                         [](const auto& info) {
                           return absl::StrCat(
                               std::get<0>(info.param) == Fault::kFull ? "full" : "broken",
                               std::get<1>(info.param) ? "_containers" : "_posix");
                         });

class MasterDiskTest : public ::testing::TestWithParam<Fault> {};

TEST_P(MasterDiskTest, TheMasterEndsWithASentenceAndKnowsLaterWhatItHadSaid) {
  const Fault fault = GetParam();
  if (const std::string missing = LoopDisk::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  MiniCluster cluster({.agents = 0});
  cluster.KillMaster();
  const std::string directory = cluster.directory() + "/registry";
  mkdir(directory.c_str(), 0700);
  LoopDisk disk(directory, 16);
  cluster.StartMaster();
  cluster.StartAgent(1);
  cluster.WaitForAgents(1);
  const Gates gates(cluster.directory(), 1);
  CountedTasks tasks(cluster);
  tasks.Submit(0, gates.Command(0, 7));
  AwaitRunning(&cluster, 1);
  std::set<std::string> known;
  for (const v1::Object& object : cluster.List(v1::FRAMEWORKS)) {
    known.insert(object.framework().framework_id());
  }
  const std::string log = cluster.directory() + "/master.log";
  const auto last_line = [&log](const std::string& text) {
    std::ifstream in(log);
    return LastLineWith(text,
                        {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
  };

  Begin(disk, fault);
  // Each is a record; more than fit into what is left of a block.
  std::vector<std::unique_ptr<Framework>> frameworks;
  for (int i = 0; i < 40; ++i) {
    auto one = Framework::Start({.name = absl::StrCat("f", i, std::string(100, 'x')),
                                 .master = cluster.address(),
                                 .state_store = std::make_shared<MemoryStateStore>()});
    ASSERT_TRUE(one.ok()) << one.status();
    frameworks.push_back(*std::move(one));
  }
  int status = cluster.AwaitMasterEnd(1);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << "status " << status;
  EXPECT_THAT(last_line("could not be made durable"), HasSubstr(directory));
  ExpectSentence(last_line("could not be made durable"), fault);
  cluster.StartMaster();
  status = cluster.AwaitMasterEnd(1);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << "status " << status;
  ExpectSentence(last_line("proffer-master: "), fault);
  EXPECT_EQ(gates.Starts(0), 1);

  Mend(&disk, fault);
  cluster.StartMaster();
  cluster.WaitForAgents(1);
  // There may be more of them: one whose record was the last to be durable, and whom nobody told.
  cluster.WaitUntil(v1::FRAMEWORKS, [&frameworks](const std::vector<v1::Object>& objects) {
    const auto connected = [](const v1::Object& o) { return o.framework().connected(); };
    return std::count_if(objects.begin(), objects.end(), connected) ==
           static_cast<int64_t>(frameworks.size()) + 1;
  });
  for (const v1::Object& object : cluster.List(v1::FRAMEWORKS)) {
    known.erase(object.framework().framework_id());
  }
  EXPECT_THAT(known, ::testing::IsEmpty());
  gates.Open(0);
  EXPECT_EQ(tasks.End(0).exit_code, 7) << tasks.End(0).message;
  EXPECT_EQ(gates.Starts(0), 1);
  tasks.ExpectOneEndEach();
  cluster.KillMaster();
}

INSTANTIATE_TEST_SUITE_P(Disk, MasterDiskTest, ::testing::Values(Fault::kFull, Fault::kBroken),
                         [](const auto& info) {
                           return info.param == Fault::kFull ? "full" : "broken";
                         });

}  // namespace
}  // namespace proffer
