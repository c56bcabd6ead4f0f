// Hostile messages: what comes out of the conversions is a value or a sentence, never a crash, and
// a value that was accepted can be sent on and is the same at the next place.
#include "unit/convert/mutation.h"

#include <gtest/gtest.h>

#include <string>

#include "agent/checkpoint.h"
#include "common/convert/agent.h"
#include "common/convert/record.h"
#include "common/convert/scheduler.h"
#include "common/fs/store_memory.h"
#include "master/registry.h"
#include "unit/convert/random_model.h"

namespace proffer::convert {
namespace {

constexpr int kMessages = 6000;

struct Tally {
  int accepted = 0;
  int refused = 0;
  int unreadable = 0;
};

template <typename Message, typename Value>
void Judge(uint64_t seed, const Message& received, Tally* tally) {
  const absl::StatusOr<Value> value = FromProto(received);
  if (!value.ok()) {
    ++tally->refused;
    EXPECT_FALSE(value.status().message().empty()) << "seed " << seed;
    return;
  }
  ++tally->accepted;
  Message out;
  ToProto(*value, &out);
  Message passed_on;
  ASSERT_TRUE(passed_on.ParseFromString(out.SerializeAsString()))
      << "seed " << seed << "\n"
      << out.DebugString().substr(0, 2000);
  const absl::StatusOr<Value> next = FromProto(passed_on);
  ASSERT_TRUE(next.ok()) << "seed " << seed << ": " << next.status() << "\n"
                         << out.DebugString().substr(0, 2000);
  ASSERT_TRUE(Same(*value, *next)) << "seed " << seed << "\n" << out.DebugString().substr(0, 2000);
}

template <typename Message, typename Value>
void NothingBreaks() {
  Tally tally;
  for (uint64_t seed = 1; seed <= kMessages && !testing::Test::HasFatalFailure(); ++seed) {
    Prng prng(seed);
    Message message;
    ToProto(Random<Value>(&prng), &message);
    if (prng.Chance(1, 2)) {
      for (int64_t i = prng.Between(1, 3); i > 0; --i) DamageField(&prng, &message);
      Judge<Message, Value>(seed, message, &tally);
      continue;
    }
    std::string bytes = message.SerializeAsString();
    DamageBytes(&prng, &bytes);
    if (message.ParseFromString(bytes)) {
      Judge<Message, Value>(seed, message, &tally);
    } else {
      ++tally.unreadable;
    }
  }
  // The damage is neither so mild nor so heavy that nothing is tested.
  EXPECT_GT(tally.accepted, kMessages / 10);
  EXPECT_GT(tally.refused, 0);
  EXPECT_GT(tally.unreadable, kMessages / 20);
}

TEST(Mutation, OfAgentMessages) { NothingBreaks<v1::AgentMessage, model::AgentMessage>(); }
TEST(Mutation, OfAgentOrders) { NothingBreaks<v1::AgentOrder, model::AgentOrder>(); }
TEST(Mutation, OfSchedulerCalls) { NothingBreaks<v1::SchedulerCall, model::SchedulerCall>(); }
TEST(Mutation, OfSchedulerEvents) { NothingBreaks<v1::SchedulerEvent, model::SchedulerEvent>(); }

// A record whose checksum is right and whose content is not, as an older or newer build may have
// written it: read, or named.
template <typename Record, typename Write, typename Read>
void NoRecordBreaks(const Write& write, const Read& read) {
  int whole = 0;
  int named = 0;
  for (uint64_t seed = 1; seed <= kMessages; ++seed) {
    Prng prng(seed);
    MemoryStore store;
    for (Mutation& mutation : write(Random<Record>(&prng))) {
      if (!mutation.value.has_value()) continue;
      absl::StatusOr<OpenedRecord> opened = OpenRecord(mutation.key, *mutation.value);
      ASSERT_TRUE(opened.ok());
      DamageBytes(&prng, &opened->payload);
      mutation.value = SealRecord(opened->type, opened->version, opened->payload);
      ASSERT_TRUE(store.Write({mutation}).ok());
    }
    const absl::Status status = read(&store);
    ++(status.ok() ? whole : named);
    EXPECT_TRUE(status.ok() || !status.message().empty()) << "seed " << seed;
  }
  EXPECT_GT(whole, 0);
  EXPECT_GT(named, 0);
}

TEST(Mutation, OfTheMastersRegistry) {
  NoRecordBreaks<master::Record>(
      [](const master::Record& record) {
        return std::vector<Mutation>{master::ToMutation(record)};
      },
      [](Store* damaged) {
        MemoryStore store;
        EXPECT_TRUE(master::TakeOver(&store, {"c1"}).ok());
        const auto records = damaged->ReadAll();
        for (const auto& [key, value] : *records) {
          EXPECT_TRUE(store.Write({{key, value}}).ok());
        }
        return master::TakeOver(&store, {"c1"}).status();
      });
}

TEST(Mutation, OfTheAgentsCheckpoint) {
  NoRecordBreaks<agent::Record>(agent::ToMutations,
                                [](Store* store) { return agent::ReadRecords(store).status(); });
}

}  // namespace
}  // namespace proffer::convert
