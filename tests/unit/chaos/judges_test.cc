// Judges: a peaceful history passes; every kind of violation, made up, is seen.
#include "chaos/judges/judges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace proffer::chaos {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WitnessLine Start(int64_t at, const std::string& task, const std::string& attempt) {
  return {at, false, task, attempt};
}
WitnessLine End(int64_t at, const std::string& task, const std::string& attempt, int code = 0) {
  return {at, true, task, attempt, code};
}
ClientLine Say(int64_t at, const std::string& event, const std::string& task = "",
               const std::string& state = "", const std::string& life = "1") {
  return {at, "f1", life, event, task, state};
}
ClientLine Told(int64_t at, const std::string& task, const std::string& state, int code,
                const std::string& life = "1") {
  return {at, "f1", life, "end", task, state, "EXITED", code};
}

const std::vector<WitnessLine> kRan = {Start(10, "a", "1.1"), End(20, "a", "1.1"),
                                       Start(11, "b.r2", "1.3"), End(21, "b.r2", "1.3", 4)};
const std::vector<ClientLine> kHeard = {Say(1, "leads"),
                                        Say(5, "submitted", "a"),
                                        Say(6, "submitted", "b"),
                                        Say(12, "status", "a", "RUNNING"),
                                        Told(25, "a", "FINISHED", 0),
                                        Told(26, "b", "FAILED", 4),
                                        Say(30, "complete")};

template <typename Line>
std::vector<Line> With(std::vector<Line> lines, const Line& more) {
  lines.push_back(more);
  return lines;
}

TEST(TasksJudgeTest, PeacePasses) { EXPECT_THAT(JudgeTasks(kRan, kHeard), IsEmpty()); }

TEST(TasksJudgeTest, AnAttemptThatStartsTwice) {
  EXPECT_THAT(JudgeTasks(With(kRan, Start(12, "a", "1.1")), kHeard),
              ElementsAre(HasSubstr("T1: attempt 1.1 of a was started twice")));
}

TEST(TasksJudgeTest, ATaskInTwoAttempts) {
  EXPECT_THAT(JudgeTasks({Start(10, "a", "1.1"), Start(12, "a.r2", "1.2"), End(20, "a", "1.1"),
                          End(22, "a.r2", "1.2")},
                         {Say(5, "submitted", "a"), Told(25, "a", "FINISHED", 0)}),
              ElementsAre(HasSubstr("T1: a ran in 2 attempts, two at once")));
  EXPECT_THAT(JudgeTasks({Start(10, "a", "1.1"), End(11, "a", "1.1"), Start(12, "a.r2", "1.2"),
                          End(22, "a.r2", "1.2")},
                         {Say(5, "submitted", "a"), Told(25, "a", "FINISHED", 0)}),
              ElementsAre(AllOf(HasSubstr("T1: a ran in 2 attempts"),
                                ::testing::Not(HasSubstr("at once")))));
}

TEST(TasksJudgeTest, AnEndThatIsNotWhatHappened) {
  const std::vector<ClientLine> submitted = {Say(5, "submitted", "a")};
  const std::vector<WitnessLine> failed = {Start(10, "a", "1.1"), End(20, "a", "1.1", 4)};
  EXPECT_THAT(JudgeTasks(failed, With(submitted, Told(25, "a", "FAILED", 5))),
              ElementsAre(HasSubstr("T5: a was told as FAILED EXITED with exit code 5")));
  EXPECT_THAT(JudgeTasks(failed, With(submitted, Told(25, "a", "FINISHED", 4))),
              ElementsAre(HasSubstr("T5: ")));
  EXPECT_THAT(JudgeTasks(failed, With(submitted, Told(19, "a", "FAILED", 4))),
              ElementsAre(HasSubstr("before it had ended")));
}

TEST(TasksJudgeTest, AnInventedDeath) {
  const std::vector<ClientLine> submitted = {Say(5, "submitted", "a")};
  EXPECT_THAT(JudgeTasks({}, With(submitted, Told(25, "a", "FINISHED", 0))),
              ElementsAre(HasSubstr("T3: ")));
  EXPECT_THAT(JudgeTasks({Start(10, "a", "1.1"), End(20, "a", "1.1")},
                         With(submitted, ClientLine{25, "f1", "1", "end", "a", "GONE", ""})),
              ElementsAre(HasSubstr("T3: ")));
}

TEST(TasksJudgeTest, WhatCouldNotBeStartedMayFail) {
  const std::vector<ClientLine> clients = {Say(5, "submitted", "a"),
                                           {25, "f1", "1", "end", "a", "FAILED", "LAUNCH_FAILED"}};
  EXPECT_THAT(JudgeTasks({}, clients), IsEmpty());
  EXPECT_THAT(JudgeTasks({Start(10, "a", "1.1"), End(20, "a", "1.1")}, clients),
              ElementsAre(HasSubstr("T3: ")));
}

TEST(TasksJudgeTest, AnInventedLife) {
  EXPECT_THAT(JudgeTasks({}, {Say(5, "submitted", "a"), Say(6, "status", "a", "RUNNING"),
                              ClientLine{7, "f1", "1", "end", "a", "FAILED", "LAUNCH_FAILED"}}),
              ElementsAre(HasSubstr("T4: a was told RUNNING")));
}

TEST(TasksJudgeTest, WhatIsLost) {
  EXPECT_THAT(JudgeTasks({Start(10, "a", "1.1"), End(20, "a", "1.1")}, {Say(5, "submitted", "a")}),
              ElementsAre(HasSubstr("T2: a was submitted and its end never told")));
  EXPECT_THAT(JudgeTasks({}, {Say(5, "submitted", "a"), Say(6, "status", "a", "STAGING")}),
              ElementsAre(HasSubstr("T2: a was submitted")));
  EXPECT_THAT(JudgeTasks({Start(10, "a", "1.1")}, {Say(5, "submitted", "a")}),
              ElementsAre(HasSubstr("T2: a was submitted"), HasSubstr("T2: a was started")));
  EXPECT_THAT(JudgeTasks({Start(1, "a", "1.1"), End(2, "a", "1.1")}, {}),
              ElementsAre(HasSubstr("T1: a ran and was never submitted")));
  // Nobody has ever acknowledged it.
  EXPECT_THAT(JudgeTasks({}, {Say(5, "submitted", "a")}), IsEmpty());
}

TEST(ClientsJudgeTest, PeacePassesAndAnEndMayBeRepeatedToTheNextReplica) {
  EXPECT_THAT(JudgeClients(kHeard), IsEmpty());
  EXPECT_THAT(JudgeClients({Say(1, "leads"), Say(2, "submitted", "a"), Told(3, "a", "FAILED", 4),
                            Say(4, "leads", "", "", "2"), Told(5, "a", "FAILED", 4, "2"),
                            Say(6, "stopped", "SUPERSEDED"), Say(7, "complete", "", "", "2")}),
              IsEmpty());
}

TEST(ClientsJudgeTest, AWordAfterTheLast) {
  EXPECT_THAT(JudgeClients(With(kHeard, Say(31, "status", "a", "RUNNING"))),
              ElementsAre(HasSubstr("T6: after its end")));
  EXPECT_THAT(JudgeClients(With(kHeard, Told(31, "a", "FINISHED", 0))),
              ElementsAre(HasSubstr("T6: told twice to one replica")));
  EXPECT_THAT(JudgeClients(With(kHeard, Told(31, "a", "FAILED", 1, "2"))),
              ElementsAre(HasSubstr("T6: told as")));
}

TEST(ClientsJudgeTest, AReplicaThatWasReplacedMayWakeUpWithOldWords) {
  const std::vector<ClientLine> replaced = {Say(1, "leads"), Say(5, "submitted", "a"),
                                            Say(7, "leads", "", "", "2"),
                                            Told(9, "a", "FINISHED", 0, "2")};
  EXPECT_THAT(JudgeClients(With(replaced, Say(10, "status", "a", "UNREACHABLE"))), IsEmpty());
  EXPECT_THAT(JudgeClients(With(replaced, Say(10, "status", "a", "UNREACHABLE", "2"))),
              ElementsAre(HasSubstr("T6: after its end")));
  // Not even then after it has heard the end itself.
  EXPECT_THAT(JudgeClients(With(With(replaced, Told(10, "a", "FINISHED", 0)),
                                Say(11, "status", "a", "UNREACHABLE"))),
              ElementsAre(HasSubstr("T6: after its end")));
}

TEST(ClientsJudgeTest, AReplicaThatDoesNotStop) {
  const std::vector<ClientLine> stopped = {Say(1, "leads"), Say(2, "stopped", "SUPERSEDED")};
  EXPECT_THAT(JudgeClients(With(stopped, Say(3, "submitted", "a"))),
              ElementsAre(HasSubstr("F1: f1 1 had stopped, and then")));
  EXPECT_THAT(JudgeClients({Say(1, "leads"), Say(2, "stopped", "REMOVED")}),
              ElementsAre(HasSubstr("F1: f1 1 stopped: REMOVED")));
}

TEST(ClientsJudgeTest, MoreThanOneRemains) {
  EXPECT_THAT(JudgeClients({Say(1, "leads"), Say(2, "leads", "", "", "2"), Say(3, "complete")}),
              ElementsAre(HasSubstr("F1: of f1 1 remains, but 2 took over")));
  EXPECT_THAT(JudgeClients({Say(1, "leads", "", "", "2"), Say(2, "complete", "", "", "2"),
                            Say(3, "complete", "", "", "2")}),
              ElementsAre(HasSubstr("F1: two replicas of f1 remain")));
}

const std::vector<RegistryWrite> kWrites = {
    {1, "cluster", "s1"}, {1, "epoch", "s1"}, {5, "epoch", "s2"}, {6, "agent/B", "s2"}};

TEST(EpochsJudgeTest, PeacePasses) {
  EXPECT_THAT(JudgeEpochs({{1001, "m1", 1}, {1002, "m2", 2}}, kWrites), IsEmpty());
}

TEST(EpochsJudgeTest, TwoLeadersOfOneEpoch) {
  EXPECT_THAT(JudgeEpochs({{1001, "m1", 2}, {1002, "m2", 2}}, kWrites),
              ElementsAre(HasSubstr("L1: epoch 2 has two leaders, m1")));
}

TEST(EpochsJudgeTest, AnEpochThatFalls) {
  EXPECT_THAT(JudgeEpochs({{1001, "m1", 2}, {1002, "m2", 1}}, kWrites),
              ElementsAre(HasSubstr("L1: m2 leads in epoch 1")));
}

TEST(EpochsJudgeTest, AWriteOfAFormerLeader) {
  EXPECT_THAT(JudgeEpochs({}, With(kWrites, {7, "agent/C", "s1"})),
              ElementsAre(HasSubstr("L1: session s1 wrote agent/C after session s2")));
}

TEST(EpochsJudgeTest, AnEpochThatNobodyRaised) {
  EXPECT_THAT(JudgeEpochs({{1001, "m1", 3}}, kWrites),
              ElementsAre(HasSubstr("L1: epoch 3 was led, but the log has only 2")));
}

TEST(ForgottenTest, EveryVersionIsMadeOnce) {
  EXPECT_EQ(
      ForgottenByZooKeeper({{1, "epoch", "s1", 1}, {1, "cluster", "s1", 1}, {2, "a", "s1", 2}}),
      "");
  EXPECT_EQ(ForgottenByZooKeeper({{1, "epoch", "s1", 0}, {2, "a", "s1", 0}}), "");
}

TEST(ForgottenTest, AWriteThatWasTakenBack) {
  EXPECT_EQ(ForgottenByZooKeeper({{1, "epoch", "s1", 1},
                                  {0x400000001, "epoch", "s2", 2},
                                  {0x400000002, "agent/A", "s2", 3},
                                  {0x600000001, "epoch", "s3", 2}}),
            "ZooKeeper has forgotten what it had written: version 2 of the registry was made by "
            "transaction 0x400000001 and again by 0x600000001");
}

const std::map<std::string, Holdings> kHeld = {{"a1", {20, 4, 22, 25}}, {"l1", {7, 2, 1, 26}}};

TEST(HoldingsJudgeTest, PeacePasses) {
  EXPECT_THAT(JudgeHoldings(kHeld, kHeld), IsEmpty());
  EXPECT_THAT(JudgeHoldings(kHeld, {{"a1", {22, 5, 20, 25}}, {"l1", {6, 1, 1, 26}}}), IsEmpty());
}

TEST(HoldingsJudgeTest, MoreThanAtFirst) {
  EXPECT_THAT(JudgeHoldings(kHeld, {{"a1", {80, 4, 22, 25}}, {"l1", {7, 2, 1, 26}}}),
              ElementsAre(HasSubstr("H2: a1 holds 80 files, and held 20")));
  EXPECT_THAT(JudgeHoldings(kHeld, {{"a1", {20, 90, 22, 25}}, {"l1", {7, 2, 1, 26}}}),
              ElementsAre(HasSubstr("H2: a1 holds 90 sockets, and held 4")));
  EXPECT_THAT(JudgeHoldings(kHeld, {{"a1", {20, 4, 70, 25}}, {"l1", {7, 2, 1, 26}}}),
              ElementsAre(HasSubstr("H2: a1 holds 70 threads, and held 22")));
}

TEST(HoldingsJudgeTest, OneDescriptorMoreOfALauncher) {
  EXPECT_THAT(JudgeHoldings(kHeld, {{"a1", {20, 4, 22, 25}}, {"l1", {8, 2, 1, 26}}}),
              ElementsAre(HasSubstr("H2: l1 holds 8 files, and held 7")));
}

TEST(HoldingsJudgeTest, OneMountMore) {
  EXPECT_THAT(JudgeHoldings(kHeld, {{"a1", {20, 4, 22, 25}}, {"l1", {7, 2, 1, 27}}}),
              ElementsAre(HasSubstr("H2: l1 holds 27 mounts, and held 26")));
}

TEST(HoldingsJudgeTest, OneWhoIsGone) {
  EXPECT_THAT(JudgeHoldings(kHeld, {{"a1", {20, 4, 22, 25}}}),
              ElementsAre(HasSubstr("H2: l1 is not there")));
}

TEST(RecoveryTest, CountsFromHealingToTheLastEndThatWaited) {
  EXPECT_EQ(UpdatesDelivered(kRan, kHeard, 22), 4);
  EXPECT_EQ(UpdatesDelivered(kRan, kHeard, 30), 0);
  EXPECT_EQ(UpdatesDelivered(kRan, kHeard, 15), 0);  // Ends after healing do not count.
}

}  // namespace
}  // namespace proffer::chaos
