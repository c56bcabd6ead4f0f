// Whatever value the model can hold arrives on the other side of a stream, or of a crash, as the
// same value: random values through the conversions and the bytes, and back.
#include <gtest/gtest.h>

#include <string>

#include "agent/checkpoint.h"
#include "common/convert/agent.h"
#include "common/convert/record.h"
#include "common/convert/scheduler.h"
#include "common/convert/task.h"
#include "common/fs/store_memory.h"
#include "master/registry.h"
#include "unit/convert/random_model.h"

namespace proffer::convert {
namespace {

constexpr int kValues = 2000;

template <typename Message, typename Value>
absl::StatusOr<Value> ThroughBytes(const Value& value) {
  Message out;
  ToProto(value, &out);
  Message in;
  if (!in.ParseFromString(out.SerializeAsString())) {
    return absl::DataLossError("the bytes cannot be parsed");
  }
  return FromProto(in);
}

template <typename Message, typename Value>
void EveryValueComesBack() {
  for (uint64_t seed = 1; seed <= kValues; ++seed) {
    Prng prng(seed);
    const Value sent = Random<Value>(&prng);
    const absl::StatusOr<Value> received = ThroughBytes<Message>(sent);
    Message shown;
    ToProto(sent, &shown);
    ASSERT_TRUE(received.ok()) << "seed " << seed << ": " << received.status() << "\n"
                               << shown.DebugString();
    ASSERT_TRUE(Same(sent, *received)) << "seed " << seed << "\n" << shown.DebugString();
  }
}

TEST(RoundTrip, AgentMessages) { EveryValueComesBack<v1::AgentMessage, model::AgentMessage>(); }
TEST(RoundTrip, AgentOrders) { EveryValueComesBack<v1::AgentOrder, model::AgentOrder>(); }
TEST(RoundTrip, AgentInfos) { EveryValueComesBack<v1::AgentInfo, model::AgentInfo>(); }
TEST(RoundTrip, SchedulerCalls) { EveryValueComesBack<v1::SchedulerCall, model::SchedulerCall>(); }
TEST(RoundTrip, SchedulerEvents) {
  EveryValueComesBack<v1::SchedulerEvent, model::SchedulerEvent>();
}
TEST(RoundTrip, FrameworkInfos) { EveryValueComesBack<v1::FrameworkInfo, model::FrameworkInfo>(); }
TEST(RoundTrip, TaskSpecs) { EveryValueComesBack<v1::TaskSpec, model::TaskSpec>(); }
TEST(RoundTrip, TaskStatuses) { EveryValueComesBack<v1::TaskStatus, model::TaskStatus>(); }
TEST(RoundTrip, Offers) { EveryValueComesBack<v1::Offer, model::Offer>(); }
TEST(RoundTrip, Demands) { EveryValueComesBack<v1::Demand, model::Demand>(); }
TEST(RoundTrip, Versions) { EveryValueComesBack<v1::Version, model::Version>(); }

// Lists of values have no message of their own; one that has such a field carries them.
TEST(RoundTrip, ResourcesAttributesAndConstraints) {
  for (uint64_t seed = 1; seed <= kValues; ++seed) {
    Prng prng(seed);
    v1::Offer carrier;
    v1::Demand demand;
    const auto resources = Random<Resources>(&prng);
    const auto attributes = Random<Attributes>(&prng);
    const auto constraints = Random<Constraints>(&prng);
    ToProto(resources, carrier.mutable_resources());
    ToProto(attributes, carrier.mutable_attributes());
    ToProto(constraints, demand.mutable_constraints());
    v1::Offer carried;
    v1::Demand demanded;
    ASSERT_TRUE(carried.ParseFromString(carrier.SerializeAsString())) << "seed " << seed;
    ASSERT_TRUE(demanded.ParseFromString(demand.SerializeAsString())) << "seed " << seed;
    EXPECT_EQ(FromProto(carried.resources()).value(), resources) << "seed " << seed;
    EXPECT_EQ(FromProto(carried.attributes()).value(), attributes) << "seed " << seed;
    EXPECT_EQ(FromProto(demanded.constraints()).value(), constraints) << "seed " << seed;
  }
}

TEST(RoundTrip, TheMastersRegistry) {
  for (uint64_t seed = 1; seed <= kValues; ++seed) {
    Prng prng(seed);
    MemoryStore store;
    ASSERT_TRUE(master::TakeOver(&store, {"c1"}).ok());
    master::Registry expected;
    for (int i = 0; i < 6; ++i) {
      const auto record = Random<master::Record>(&prng);
      expected.Apply(record);
      ASSERT_TRUE(store.Write({master::ToMutation(record)}).ok());
    }
    const absl::StatusOr<master::TakenOver> found = master::TakeOver(&store, {"c2"});
    ASSERT_TRUE(found.ok()) << "seed " << seed << ": " << found.status();
    EXPECT_EQ(found->cluster_id, "c1");
    EXPECT_EQ(found->epoch, 2u);
    ASSERT_EQ(found->registry.agents.size(), expected.agents.size()) << "seed " << seed;
    for (const auto& [id, agent] : expected.agents) {
      ASSERT_EQ(found->registry.agents.count(id), 1u) << "seed " << seed;
      EXPECT_TRUE(Same(found->registry.agents.at(id), agent)) << "seed " << seed;
    }
    ASSERT_EQ(found->registry.frameworks.size(), expected.frameworks.size()) << "seed " << seed;
    for (const auto& [id, framework] : expected.frameworks) {
      ASSERT_EQ(found->registry.frameworks.count(id), 1u) << "seed " << seed;
      EXPECT_TRUE(Same(found->registry.frameworks.at(id), framework)) << "seed " << seed;
    }
    EXPECT_EQ(found->registry.weights, expected.weights) << "seed " << seed;
  }
}

TEST(RoundTrip, TheAgentsCheckpoint) {
  for (uint64_t seed = 1; seed <= kValues; ++seed) {
    Prng prng(seed);
    MemoryStore store;
    agent::RecordSet expected;
    for (int i = 0; i < 6; ++i) {
      const auto record = Random<agent::Record>(&prng);
      expected.Apply(record);
      ASSERT_TRUE(store.Write(agent::ToMutations(record)).ok());
    }
    const absl::StatusOr<std::vector<agent::Record>> found = agent::ReadRecords(&store);
    ASSERT_TRUE(found.ok()) << "seed " << seed << ": " << found.status();
    EXPECT_TRUE(Same(*found, expected.All())) << "seed " << seed;
  }
}

// One flipped bit, one byte more or less: never believed.
TEST(RoundTrip, ADamagedEnvelopeIsNamed) {
  for (uint64_t seed = 1; seed <= kValues; ++seed) {
    Prng prng(seed);
    const std::string type = prng.Word(static_cast<int>(prng.Below(20)));
    const std::string payload = RandomUtf8(&prng, 40);
    const auto version = Random<uint32_t>(&prng);
    const std::string sealed = SealRecord(type, version, payload);
    const absl::StatusOr<OpenedRecord> opened = OpenRecord("key", sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->type, type);
    EXPECT_EQ(opened->version, version);
    EXPECT_EQ(opened->payload, payload);

    std::string damaged = sealed;
    const uint64_t at = prng.Below(sealed.size());
    switch (prng.Below(3)) {
      case 0:
        damaged[at] = static_cast<char>(damaged[at] ^ 1 << prng.Below(8));
        break;
      case 1:
        damaged.resize(at);
        break;
      default:
        damaged.insert(at, 1, static_cast<char>(sealed[at] + 1));
    }
    const absl::StatusOr<OpenedRecord> refused = OpenRecord("agent/a1", damaged);
    ASSERT_EQ(refused.status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
    EXPECT_NE(refused.status().message().find("agent/a1"), std::string::npos);
  }
}

}  // namespace
}  // namespace proffer::convert
