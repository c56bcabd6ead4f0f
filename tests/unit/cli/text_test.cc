// How numbers, times, resources, tables and documents are written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/amounts.h"
#include "cli/describe.h"
#include "cli/document.h"
#include "cli/duration.h"
#include "cli/exit_code.h"
#include "cli/suggest.h"
#include "cli/table.h"

namespace proffer::cli {
namespace {

TEST(DurationTest, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(PrintDuration(-5), "0ms");
  EXPECT_EQ(PrintDuration(999), "999ms");
  EXPECT_EQ(PrintDuration(45'999), "45s");
  EXPECT_EQ(PrintDuration(192'000), "3m12s");
  EXPECT_EQ(PrintDuration(7'500'000), "2h05m");
  EXPECT_EQ(PrintDuration(int64_t{76} * 3600 * 1000), "3d4h");
}

TEST(DurationTest, SecondsHaveTwoDecimals) {
  EXPECT_EQ(PrintSeconds(40), "0.04 s");
  EXPECT_EQ(PrintSeconds(99'999), "100.00 s");
  EXPECT_EQ(PrintSeconds(100'000), "1m40s");
}

TEST(DurationTest, ReadsWhatPeopleWrite) {
  EXPECT_EQ(*ParseDuration("500ms"), 500);
  EXPECT_EQ(*ParseDuration("1h30m"), 5'400'000);
  EXPECT_EQ(*ParseDuration("2d"), int64_t{2} * 24 * 3600 * 1000);
  EXPECT_EQ(*ParseDuration("0"), 0);
  for (const char* wrong :
       {"", "30", "s", "5m1h", "5s5s", "1.5h", "-1s", "99999999999999s", "9999999d"}) {
    EXPECT_FALSE(ParseDuration(wrong).ok()) << wrong;
  }
}

TEST(AmountsTest, BytesAreRoundedDownToOneDecimal) {
  EXPECT_EQ(HumanAmount("mem", 0), "0");
  EXPECT_EQ(HumanAmount("mem", 1023), "1023B");
  EXPECT_EQ(HumanAmount("mem", 512 << 20), "512MiB");
  EXPECT_EQ(HumanAmount("mem", 8'254'930'944), "7.6GiB");
  EXPECT_EQ(HumanAmount("disk", (int64_t{1} << 40) - 1), "1023.9GiB");
  EXPECT_EQ(HumanAmount("mem", std::numeric_limits<int64_t>::max()), "8388607.9TiB");
}

TEST(AmountsTest, OthersAreExact) {
  EXPECT_EQ(HumanAmount("cpus", 1'500), "1.5");
  EXPECT_EQ(HumanAmount("gpus", 2), "2");
  EXPECT_EQ(HumanAmount("ports", 333), "333");
}

TEST(AmountsTest, CpusAndMemoryComeFirst) {
  EXPECT_EQ(HumanAmounts({{"disk", 1 << 20}, {"cpus", 250}, {"gpus", 0}, {"mem", 1 << 30}}),
            "cpus 0.25  mem 1GiB  disk 1MiB");
}

TEST(AmountsTest, ResourcesOfOneNameAreSummed) {
  ResourceList list;
  v1::Resource* one = list.Add();
  one->set_name("cpus");
  one->set_scalar(500);
  *list.Add() = *one;
  v1::Resource* ports = list.Add();
  ports->set_name("ports");
  v1::Range* range = ports->mutable_ranges()->add_ranges();
  range->set_first(10);
  range->set_last(12);
  range = ports->mutable_ranges()->add_ranges();
  range->set_first(80);
  range->set_last(80);
  EXPECT_EQ(SumOf(list), (Amounts{{"cpus", 1000}, {"ports", 4}}));
  EXPECT_EQ(PortsOf(list), "10-12,80");
}

TEST(SuggestTest, FindsWhatWasMeant) {
  EXPECT_EQ(EditDistance("status", "stauts"), 1);  // Neighbours swapped.
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(Nearest("stauts", {"run", "status", "dev"}), "status");
  EXPECT_EQ(Nearest("frobnicate", {"run", "status", "dev"}), "");
}

TEST(TableTest, ColumnsLineUpAndEmptyOnesAreLeftOut) {
  Table table({{"NAME"}, {"EMPTY"}, {"COUNT", Table::Align::kRight}, {"LAST"}});
  table.Add({"a", "", "1", "x"});
  table.Add({"größer", "", "1000", ""});
  std::ostringstream out;
  table.Print(out, Style(false));
  EXPECT_EQ(out.str(),
            "NAME    COUNT  LAST\n"
            "a           1  x\n"
            "größer   1000\n");
}

TEST(TableTest, ColoursDoNotMoveColumns) {
  Table table({{"STATE"}, {"NEXT"}});
  table.Add({Table::Cell("ok", Table::Paint::kGood), "x"});
  std::ostringstream out;
  table.Print(out, Style(true));
  EXPECT_EQ(out.str(), "\033[2mSTATE\033[0m  \033[2mNEXT\033[0m\n\033[32mok\033[0m     x\n");
}

TEST(DocumentTest, JsonIsEscaped) {
  EXPECT_EQ(ToCompactJson(Node::Text("a\"b\\c\n\x01ü")), "\"a\\\"b\\\\c\\n\\u0001ü\"");
}

TEST(DocumentTest, YamlQuotesWhatAReaderMightTakeForSomethingElse) {
  const Node list = Node::List({Node::Text("plain"), Node::Text("no"), Node::Text("1.5"),
                                Node::Text(""), Node::Text("a: b"), Node::Number(7), Node::List(),
                                Node::Map(), Node::Text("null"), Node::Text("-x")});
  EXPECT_EQ(ToYaml(list),
            "- plain\n- \"no\"\n- \"1.5\"\n- \"\"\n- \"a: b\"\n- 7\n- []\n- {}\n- \"null\"\n"
            "- \"-x\"\n");
}

TEST(DocumentTest, YamlNests) {
  Node inner = Node::Map();
  inner.Set("k", Node::List({Node::Number(1), Node::List({Node::Number(2)})}));
  inner.Set("l", Node::Text("x"));
  Node outer = Node::Map();
  outer.Set("list", Node::List({inner, inner}));
  outer.Set("map", inner);
  EXPECT_EQ(ToYaml(outer),
            "list:\n"
            "  - k:\n"
            "      - 1\n"
            "      - - 2\n"
            "    l: x\n"
            "  - k:\n"
            "      - 1\n"
            "      - - 2\n"
            "    l: x\n"
            "map:\n"
            "  k:\n"
            "    - 1\n"
            "    - - 2\n"
            "  l: x\n");
}

TEST(DocumentTest, UnsetOptionalsAreLeftOutAndPlainFieldsAreThere) {
  v1::TaskView task;
  task.mutable_attempt()->set_epoch(7);
  task.mutable_attempt()->set_n(12);
  const std::string json = ToCompactJson(FromMessage(task));
  EXPECT_THAT(json, ::testing::HasSubstr("\"attempt\":\"7-12\""));
  EXPECT_THAT(json, ::testing::HasSubstr("\"launched_unix_ms\":0"));
  EXPECT_THAT(json, ::testing::Not(::testing::HasSubstr("exit_code")));
  task.set_exit_code(0);
  EXPECT_THAT(ToCompactJson(FromMessage(task)), ::testing::HasSubstr("\"exit_code\":0"));
}

TEST(ExitCodeTest, FollowsTheTable) {
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), kUsage);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), kNotFound);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("")), kConflict);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), kNoMaster);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("")), kNoMaster);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("")), kNotAllowed);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), kUnexpected);
}

TEST(DescribeTest, AnEndHasItsCauseAndItsCode) {
  v1::TaskView task;
  task.set_state(v1::RUNNING);
  EXPECT_EQ(EndOf(task), "");
  task.set_state(v1::FAILED);
  task.set_reason(v1::SIGNALLED);
  task.set_signal(9);
  EXPECT_EQ(EndOf(task), "signal 9 (KILL)");
  task.set_reason(v1::MAX_RUN_TIME);
  EXPECT_EQ(EndOf(task), "ran out of its time, signal 9 (KILL)");
  task.set_reason(v1::LAUNCH_FAILED);
  EXPECT_EQ(EndOf(task), "could not be started");
}

}  // namespace
}  // namespace proffer::cli
