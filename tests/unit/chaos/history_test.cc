// The recorders' lines, and the texts that others write and we read.
#include "chaos/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "chaos/judges/judges.h"
#include "chaos/leaderships.h"
#include "chaos/result.h"

namespace proffer::chaos {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

TEST(HistoryTest, ClientsLinesAreReadAsTheyAreWritten) {
  const std::vector<ClientLine> lines = {{1, "f1", "7-1", "leads"},
                                         {2, "f1", "7-1", "submitted", "f1-s0"},
                                         {3, "f1", "7-1", "status", "f1-s0", "RUNNING"},
                                         {4, "f1", "7-1", "end", "f1-s0", "FAILED", "EXITED", 3},
                                         {5, "f1", "7-1", "end", "f1-s1", "GONE", ""},
                                         {6, "f1", "7-1", "complete"},
                                         {7, "f1", "7-1", "stopped", "SUPERSEDED"}};
  std::string text;
  for (const ClientLine& line : lines) text += Print(line) + "\n";
  std::vector<std::string> bad;
  EXPECT_EQ(ParseClients(text, &bad), lines);
  EXPECT_THAT(bad, IsEmpty());
}

TEST(HistoryTest, WhatIsNoLineIsTold) {
  std::vector<std::string> bad;
  EXPECT_THAT(ParseWitness("5 start t 1.2\n9 end t 1.2 3\n9 end t 1.2\nx start t 1.2\n", &bad),
              ElementsAre(WitnessLine{5, false, "t", "1.2"}, WitnessLine{9, true, "t", "1.2", 3}));
  EXPECT_EQ(bad.size(), 2u);
  EXPECT_THAT(ParseClients("1 f1 7-1 end t FINISHED - zero\n1 f1 7-1 rests\n", &bad), IsEmpty());
  EXPECT_EQ(bad.size(), 4u);
}

TEST(HistoryTest, ARepeatedLaunchBelongsToWhatWasSubmitted) {
  EXPECT_EQ(SubmittedId("f1-s7"), "f1-s7");
  EXPECT_EQ(SubmittedId("f1-s7.r2"), "f1-s7");
}

TEST(HistoryTest, AResultIsReadAsItIsWrittenAndOneThatBreaksOffIsAViolation) {
  const Result result = {{{"loss", 2}}, {{"tasks", 50}}, {"T1: a b"}, {"1 s loss a1 4%"}};
  EXPECT_EQ(ParseResult(Print(result)), result);
  Result nothing = result;
  nothing.void_because = "of nobody";
  EXPECT_EQ(ParseResult(Print(nothing)), nothing);
  std::string broken = Print(result);
  broken.resize(broken.size() / 2);
  EXPECT_FALSE(ParseResult(broken).violations.empty());
  EXPECT_FALSE(ParseResult("").violations.empty());
}

TEST(HistoryTest, PercentilesAreRoundedUp) {
  EXPECT_EQ(Percentile({}, 50), 0);
  EXPECT_EQ(Percentile({3, 1, 2}, 50), 2);
  EXPECT_EQ(Percentile({3, 1, 2, 4}, 90), 4);
}

TEST(HistoryTest, MastersSayWhenTheyBeganToLead) {
  const std::vector<Leadership> found = ParseLeaderships(
      "m2",
      "I20261128 15:30:54.123456    12 candidacy.cc:136] elected; taking over\n"
      "I20261128 15:30:54.223456    12 master.cc:66] leading cluster chaos in epoch 12 with 5 x\n");
  EXPECT_THAT(found, ElementsAre(Field(&Leadership::epoch, 12u)));
  EXPECT_EQ(found[0].master, "m2");
}

// A line counts once, when all of it is there, and at the time of who reads it.
TEST(HistoryTest, LeadersAreOrderedByWhenTheyWereSeenToLead) {
  std::string directory = ::testing::TempDir() + "leaderships-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const auto write = [&](const char* master, const std::string& text) {
    std::ofstream(directory + "/" + master, std::ios::app) << text;
  };
  const std::string leads = "I20361128 15:30:54.2 12 master.cc:66] leading cluster c in epoch ";
  Leaderships leaderships({{"m1", directory + "/m1"}, {"m2", directory + "/m2"}});
  leaderships.Tick({100});
  write("m1", leads + "3 with x\n" + leads);
  leaderships.Tick({200});
  leaderships.Tick({300});
  // Both at once, for all that we know: by their epochs.
  write("m1", "5 with x\n");
  write("m2", "what else there is\n" + leads + "4 with x\n");
  leaderships.Tick({400});
  std::string seen;
  for (const Leadership& one : leaderships.all()) {
    seen += one.master + "/" + std::to_string(one.epoch) + "/" + std::to_string(one.at_ms) + " ";
  }
  EXPECT_EQ(seen, "m1/3/200 m2/4/400 m1/5/400 ");
  std::filesystem::remove_all(directory);
}

// As TxnLogToolkit prints them: lengths are raw bytes, data may have line ends.
TEST(HistoryTest, TheTransactionLogTellsWhoWroteWhat) {
  const auto op = [](const std::string& action, const std::string& path) {
    return action + ":" + std::string("\0\0\0", 3) + static_cast<char>(path.size()) + path;
  };
  const std::string text =
      "ZooKeeper Transactional Log File with dbid 0 txnlog format version 2\n"
      "11/28/26, 3:47:23 PM UTC session 0x1 cxid 0x0 zxid 0x100000001 createSession 10000\n"
      "11/28/26, 3:47:23 PM UTC session 0x1 cxid 0xa zxid 0x10000001d multi " +
      op("check", "/chaos/registry/epoch") + ";" + op("setData", "/chaos/registry") + ";" +
      op("create", "/chaos/registry/epoch") + "PR1\nchaos;" +
      op("create", "/chaos/registry/agent%2FA-1") +
      "data\n11/28/26, 3:47:24 PM UTC session 0x2 cxid 0xb zxid 0x10000001e multi " +
      op("error", "/chaos/registry/epoch") + ";" + op("setData", "/chaos/registry/cluster") +
      "\nEOF reached after 3 txns.\n";
  EXPECT_THAT(ParseTransactions(text), ElementsAre(RegistryWrite{0x10000001d, "epoch", "1"},
                                                   RegistryWrite{0x10000001d, "agent%2FA-1", "1"},
                                                   RegistryWrite{0x10000001e, "cluster", "2"}));
}

TEST(HistoryTest, ATransactionTellsWhichVersionOfTheRegistryItMade) {
  const std::string path("setData:\0\0\0\x0f/chaos/registry", 27);
  const std::string epoch("setData:\0\0\0\x15/chaos/registry/epoch", 33);
  const auto made = [](char version) { return std::string("\0\0\0\0\0\0\0", 7) + version; };
  // The tenth version is the end of a line.
  const std::string text = "UTC session 0x1 cxid 0xa zxid 0x1 multi " + path + made('\n') + ";" +
                           epoch + "x\nUTC session 0x1 cxid 0xa zxid 0x2 multi " + path + made(11) +
                           ";" + epoch + "x\nUTC session 0x1 cxid 0xa zxid 0x3 setData:" + epoch +
                           "x\n";
  EXPECT_THAT(ParseTransactions(text),
              ElementsAre(RegistryWrite{1, "epoch", "1", 10}, RegistryWrite{2, "epoch", "1", 11},
                          RegistryWrite{3, "epoch", "1", 0}));
}

TEST(HistoryTest, TransactionsOfAllServersAreOneLog) {
  const RegistryWrite one = {1, "cluster", "s1"}, same = {1, "epoch", "s1"};
  const RegistryWrite two = {2, "agent/A", "s1"}, three = {3, "epoch", "s2"};
  EXPECT_THAT(MergeTransactions({{one, same, three, one, same}, {one, same, two}, {}}),
              ElementsAre(one, same, two, three));
}

}  // namespace
}  // namespace proffer::chaos
