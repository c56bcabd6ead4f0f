// Work and run directories that are not what an agent left: cut short, older, or with files
// missing. The agent starts with what was true at some time and nothing lives that it does not
// know, or it says which file it cannot do without.
#include <glog/logging.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/checkpoint.h"
#include "agent/core/core.h"
#include "cluster/counted_tasks.h"
#include "common/fs/store_leveldb.h"
#include "support/gates.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

namespace files = std::filesystem;
using testing::AwaitEndsInLog;
using testing::AwaitRunning;
using testing::CountedTasks;
using testing::Gates;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MiniCluster;

std::string Read(const files::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void Replace(const files::path& path, const files::path& by) {
  files::remove_all(path);
  files::copy(by, path, files::copy_options::recursive);
}

// Of an open store: the one with records, or the newest.
files::path LogOf(const files::path& store) {
  files::path newest;
  for (const auto& entry : files::directory_iterator(store)) {
    if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
  }
  return newest;
}

std::string Begin(const MiniCluster& cluster) {
  return absl::StrCat("echo x >> ", cluster.directory(), "/gates/start-$PROFFER_ATTEMPT; ");
}

// An agent with four tasks: three run, one has ended, and nobody was there to be told. Killed.
class Scene {
 public:
  explicit Scene(bool contained)
      : cluster({.agents = 1, .contained = contained}),
        gates(cluster.directory(), 4),
        tasks(cluster) {
    CopyTo("before");
    for (int i = 0; i < 4; ++i) {
      tasks.Submit(i, Begin(cluster) + (i == 3 ? gates.Command(3, 7) : "exec sleep 1000"));
      AwaitRunning(&cluster, i + 1);
      if (i == 1) CopyTo("middle");
    }
    agent = Id();
    cluster.KillMaster();
    gates.Open(3);
    AwaitEndsInLog(cluster, 1);
    cluster.KillAgent(1);
  }
  files::path checkpoint() const { return files::path(cluster.work_dir(1)) / "checkpoint"; }
  files::path copy(const std::string& name) const {
    return files::path(cluster.directory()) / name;
  }
  // The run directory of a task.
  files::path run(int i) const {
    return files::path(cluster.runtime_dir(1)) / absl::StrCat("1-", i + 1);
  }
  // The shim that holds a run directory open.
  void KillShim(int i) const {
    for (const pid_t pid : cluster.ShimsAndTasks(1)) {
      std::error_code ignored;
      for (const auto& fd : files::directory_iterator(absl::StrCat("/proc/", pid, "/fd"))) {
        if (files::read_symlink(fd, ignored) != run(i)) continue;
        kill(pid, SIGKILL);
        while (kill(pid, 0) == 0) usleep(1'000);
        return;
      }
    }
    ADD_FAILURE() << "task " << i << " has no shim";
  }
  std::string Id() {
    for (const v1::Object& o : cluster.List(v1::AGENTS)) {
      if (o.agent().state() == v1::CONNECTED) return o.agent().agent_id();
    }
    return "";
  }

  MiniCluster cluster;
  const Gates gates;
  CountedTasks tasks;
  std::string agent;

 private:
  // While the agent is at work.
  void CopyTo(const std::string& name) {
    files::create_directory(copy(name));
    for (const auto& entry : files::directory_iterator(checkpoint())) {
      std::error_code gone;
      files::copy(entry.path(), copy(name) / entry.path().filename(), gone);
    }
  }
};

void Cut(const Scene& scene, int percent) {
  const files::path log = LogOf(scene.checkpoint());
  files::resize_file(log, files::file_size(log) * static_cast<size_t>(percent) / 100);
}

// What is left knows that a task was to be launched, and not that it has begun.
void CutAfterLaunch(const Scene& scene, int i) {
  const files::path log = LogOf(scene.checkpoint());
  const files::path cut = files::path(scene.cluster.runtime_dir(1)) / "cut";  // On tmpfs.
  const auto launched = [&](size_t length) {
    Replace(cut, scene.checkpoint());
    files::resize_file(LogOf(cut), length);
    const auto store = LevelDbStore::Open(cut);
    CHECK(store.ok()) << store.status();
    const auto records = agent::ReadRecords(store->get());
    CHECK(records.ok()) << records.status();
    return std::any_of(records->begin(), records->end(), [i](const agent::Record& record) {
      const auto* task = std::get_if<agent::TaskRecord>(&record);
      return task != nullptr && task->launch.task.id.value() == absl::StrCat("t", i);
    });
  };
  // The shortest log that knows of the launch.
  size_t without = 0;
  size_t with = files::file_size(log);
  while (with - without > 1) {
    const size_t middle = (without + with) / 2;
    (launched(middle) ? with : without) = middle;
  }
  files::remove_all(cut);
  files::resize_file(log, with);
}

void Remove(const files::path& path) {
  ASSERT_GT(files::remove_all(path), 0u) << path << " was not there";
}

void RemoveOne(const Scene& scene, const std::string& beginning) {
  for (const auto& entry : files::directory_iterator(scene.checkpoint())) {
    if (absl::StartsWith(entry.path().filename().string(), beginning)) Remove(entry.path());
  }
}

struct Tear {
  friend void PrintTo(const Tear& tear, std::ostream* out) { *out << tear.name; }
  const char* name;
  std::function<void(const Scene&)> tear;
  bool refused = false;
  bool new_agent = false;
};

std::vector<Tear> Tears() {
  std::vector<Tear> tears = {
      {"cut_to_nothing", [](const Scene& s) { Cut(s, 0); }, false, true},
      {"cut_to_a_quarter", [](const Scene& s) { Cut(s, 25); }},
      {"cut_to_a_half", [](const Scene& s) { Cut(s, 50); }},
      {"cut_to_three_quarters", [](const Scene& s) { Cut(s, 75); }},
      {"cut_before_the_last",
       [](const Scene& s) {
         const files::path log = LogOf(s.checkpoint());
         files::resize_file(log, files::file_size(log) - 3);
       }},
      {"cut_after_the_launch_of_what_runs", [](const Scene& s) { CutAfterLaunch(s, 2); }},
      {"cut_after_the_launch_of_what_ended", [](const Scene& s) { CutAfterLaunch(s, 3); }},
      {"copied_before", [](const Scene& s) { Replace(s.checkpoint(), s.copy("before")); }},
      {"copied_in_the_middle", [](const Scene& s) { Replace(s.checkpoint(), s.copy("middle")); }},
      {"no_checkpoint", [](const Scene& s) { Remove(s.checkpoint()); }, false, true},
      {"no_current", [](const Scene& s) { Remove(s.checkpoint() / "CURRENT"); }, true, true},
      {"no_manifest", [](const Scene& s) { RemoveOne(s, "MANIFEST"); }, true, true},
      {"no_log", [](const Scene& s) { Remove(LogOf(s.checkpoint())); }, true, true},
      {"no_checkpoint_and_no_run_directories",
       [](const Scene& s) {
         Remove(s.checkpoint());
         Remove(s.cluster.runtime_dir(1));
       },
       false, true},
      {"copied_before_and_no_run_directories",
       [](const Scene& s) {
         Replace(s.checkpoint(), s.copy("before"));
         Remove(s.cluster.runtime_dir(1));
       }},
      {"no_run_directories", [](const Scene& s) { Remove(s.cluster.runtime_dir(1)); }},
      {"no_run_directory", [](const Scene& s) { Remove(s.run(0)); }},
      {"no_marker", [](const Scene& s) { Remove(s.run(0) / "started"); }},
      {"no_socket", [](const Scene& s) { Remove(s.run(0) / "sock"); }},
      {"nothing_in_it",
       [](const Scene& s) {
         for (const auto& entry : files::directory_iterator(s.run(0))) Remove(entry);
       }},
      {"no_shim_and_no_marker",
       [](const Scene& s) {
         s.KillShim(0);
         Remove(s.run(0) / "started");
       }},
      {"no_shim_and_no_run_directory",
       [](const Scene& s) {
         s.KillShim(0);
         Remove(s.run(0));
       }},
      {"no_shim_and_no_checkpoint",
       [](const Scene& s) {
         s.KillShim(0);
         Remove(s.checkpoint());
       },
       false, true},
      {"no_exit",
       [](const Scene& s) {
         Cut(s, 75);
         Remove(s.run(3) / "exit");
       }},
      {"half_an_exit",
       [](const Scene& s) {
         Cut(s, 75);
         files::resize_file(s.run(3) / "exit", 5);
       }},
  };
  return tears;
}

class TornTest : public ::testing::TestWithParam<std::tuple<bool, Tear>> {};

TEST_P(TornTest, WhatIsLeftIsConsistentOrTheMissingFileIsNamed) {
  const auto& [contained, tear] = GetParam();
  if (contained && !testing::CanContain(true)) {
    GTEST_SKIP() << "containers need root and cgroups";
  }
  Scene scene(contained);
  MiniCluster& cluster = scene.cluster;
  tear.tear(scene);
  cluster.StartMaster();
  cluster.StartAgent(1);
  if (tear.refused) {
    const int status = cluster.AwaitAgentEnd(1);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << "status " << status;
    const std::string log = cluster.agent_log(1);
    const std::string last = log.substr(log.rfind('\n', log.size() - 2) + 1);
    EXPECT_THAT(last, HasSubstr("proffer-agent: ")) << last;
    EXPECT_THAT(last, HasSubstr(absl::StrCat(scene.checkpoint().string(), "/"))) << last;
    EXPECT_THAT(last, HasSubstr("is missing")) << last;
    // What an operator without a backup does.
    files::remove_all(scene.checkpoint());
    cluster.StartAgent(1);
  }
  cluster.WaitForAgents(1);
  if (tear.new_agent) {
    EXPECT_NE(scene.Id(), scene.agent);
  } else {
    EXPECT_EQ(scene.Id(), scene.agent);
    for (int i = 0; i < 4; ++i) scene.tasks.run(i).Kill(std::chrono::milliseconds(0));
    scene.tasks.ExpectOneEndEach();
    cluster.WaitUntil(v1::AGENTS, [&cluster](const auto&) { return cluster.AllFree(); });
  }
  EXPECT_THAT(cluster.AwaitNoRemains(1), IsEmpty());
  for (const auto& entry : files::directory_iterator(cluster.directory() + "/gates")) {
    if (!absl::StartsWith(entry.path().filename().string(), "start-")) continue;
    EXPECT_EQ(files::file_size(entry.path()), 2u) << entry.path() << ": started twice";
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, TornTest,
                         ::testing::Combine(::testing::Bool(), ::testing::ValuesIn(Tears())),
                         [](const auto& info) {
                           return absl::StrCat(std::get<1>(info.param).name,
                                               std::get<0>(info.param) ? "_containers" : "_posix");
                         });

// The log of a real agent, cut at each of its bytes: what is read is what was true after one of the
// writes, later cuts know more, and an agent's core begins with it.
TEST(TornCheckpoint, CutAnywhereItIsAPrefix) {
  Scene scene(false);
  const std::string whole = Read(LogOf(scene.checkpoint()));
  ASSERT_GT(whole.size(), 1'000u);
  const files::path cut = files::path(scene.cluster.runtime_dir(1)) / "cut";  // On tmpfs.
  std::vector<std::pair<std::string, std::string>> before;
  size_t states = 0;
  for (size_t length = 0; length <= whole.size(); ++length) {
    SCOPED_TRACE(absl::StrCat("cut at ", length, " of ", whole.size()));
    Replace(cut, scene.checkpoint());
    files::resize_file(LogOf(cut), length);
    absl::StatusOr<std::unique_ptr<LevelDbStore>> store = LevelDbStore::Open(cut);
    ASSERT_TRUE(store.ok()) << store.status();
    const auto stored = (*store)->ReadAll();
    ASSERT_TRUE(stored.ok()) << stored.status();
    if (*stored == before) continue;
    before = *stored;
    ++states;
    const auto records = agent::ReadRecords(store->get());
    ASSERT_TRUE(records.ok()) << records.status();
    agent::Config config;
    config.info.resources = *Resources::Parse("cpus:4;mem:2GiB;ports:[31000-31009]");
    config.boot_id = "another";
    agent::Core core(config, *records);
    agent::Effects effects;
    core.Start(Time{1'000}, &effects);
    EXPECT_TRUE(core.recovered());
    EXPECT_EQ(core.ledger().free(), core.ledger().total());
  }
  // The identity, and for each of the tasks its launch, its start and acknowledgements.
  EXPECT_GE(states, 10u);
  files::remove_all(cut);
}

}  // namespace
}  // namespace proffer
