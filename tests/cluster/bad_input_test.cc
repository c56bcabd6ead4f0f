// What outsiders may put on the wire of a running master, and what they are told: what was
// expected, what was found, what to do. After each, the master is the same process and its books
// are balanced: used is what tasks hold, offered what offers hold, the rest of the total is free.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cluster/raw_peers.h"
#include "common/base/limits.h"
#include "common/base/prng.h"
#include "common/convert/agent.h"
#include "common/convert/task.h"
#include "common/rpc/deadline.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using ::testing::AllOf;
using testing::FromText;
using ::testing::HasSubstr;
using testing::MiniCluster;
using testing::RawAgent;
using testing::RawScheduler;

class BadInput : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = new MiniCluster({.agents = 1, .resources = "cpus:4;mem:1GiB;ports:[31000-31009]"});
    master_ = cluster_->master_pid();
  }
  static void TearDownTestSuite() {
    delete cluster_;
    cluster_ = nullptr;
  }

  void TearDown() override {
    ExpectBalanced();
    // Nothing leaks: with everybody gone, everything is free.
    cluster_->WaitUntil(v1::AGENTS,
                        [](const std::vector<v1::Object>&) { return cluster_->AllFree(); });
  }

  static std::string address() { return cluster_->address(); }

  static Resources ResourcesOf(const convert::ResourceList& list) {
    const absl::StatusOr<Resources> resources = convert::FromProto(list);
    EXPECT_TRUE(resources.ok()) << resources.status();
    return *resources;
  }

  // The lists are read one after the other, so a change between them is looked at again.
  static bool IsBalanced() {
    const std::vector<v1::Object> tasks = cluster_->List(v1::TASKS, /*live_only=*/true);
    const std::vector<v1::Object> offers = cluster_->List(v1::OFFERS);
    for (const v1::Object& object : cluster_->List(v1::AGENTS)) {
      const v1::AgentView& agent = object.agent();
      Resources used;
      for (const v1::Object& task : tasks) {
        if (task.task().agent_id() != agent.agent_id()) continue;
        EXPECT_TRUE(used.Add(ResourcesOf(task.task().resources())).ok());
      }
      Resources offered;
      for (const v1::Object& offer : offers) {
        if (offer.offer().agent_id() != agent.agent_id()) continue;
        EXPECT_TRUE(offered.Add(ResourcesOf(offer.offer().resources())).ok());
      }
      if (!(used == ResourcesOf(agent.used())) || !(offered == ResourcesOf(agent.offered()))) {
        return false;
      }
      Resources free = ResourcesOf(agent.total());
      if (!free.Subtract(used).ok() || !free.Subtract(offered).ok()) return false;
    }
    return true;
  }
  static void ExpectBalanced() {
    cluster_->WaitUntil(v1::AGENTS, [](const std::vector<v1::Object>&) { return IsBalanced(); });
    ASSERT_EQ(kill(master_, 0), 0) << "the master is no more";
    ASSERT_EQ(cluster_->master_pid(), master_);
  }

  static MiniCluster* cluster_;
  static pid_t master_;
};

MiniCluster* BadInput::cluster_ = nullptr;
pid_t BadInput::master_ = 0;

struct BadCall {
  const char* call;  // {OFFER} is an offer that the framework holds.
  v1::Refusal refusal;
  std::vector<const char*> words;
};

TEST_F(BadInput, CallsThatBreakARuleAreAnsweredWithASentence) {
  const std::vector<BadCall> calls = {
      // Malformed resources.
      {"accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'cpus'}}}",
       v1::INVALID,
       {"\"cpus\" has no value", "expected a scalar, ranges or a set"}},
      {"accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'ports' scalar:1}}}",
       v1::INVALID,
       {"expected ranges", "found \"ports:1\"", "it is a number here"}},
      {"accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'ports' "
       "ranges{ranges{first:9 last:2}}}}}",
       v1::INVALID,
       {"found \"9-2\"", "write the smaller value first"}},
      {"accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'a b' scalar:1}}}",
       v1::INVALID,
       {"expected a letter", "found \"a b\"", "use no other characters"}},
      {"accept{offer_ids{OFFER} tasks{task_id:'t'}}", v1::INVALID, {"resources"}},
      // Unknown roles.
      {"accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'cpus' scalar:1 "
       "reservations{role:'a//b'}}}}",
       v1::INVALID,
       {"found \"a//b\"", "put single slashes"}},
      {"set_demand{declared:true demands{role:'db' shape{key:'cpus' value:1} count:1}}",
       v1::UNKNOWN_ROLE,
       {"role \"db\" is not among the framework's roles (web)"}},
      {"suppress{roles:'db'}", v1::UNKNOWN_ROLE, {"\"db\"", "web"}},
      {"update_framework{roles:'/'}", v1::INVALID, {"found \"/\"", "put single slashes"}},
      // Negative and overflowing quantities.
      {"accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'cpus' scalar:-1}}}",
       v1::INVALID,
       {"found \"cpus:-0.001\"", "an amount is never negative"}},
      {"accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'mem' scalar:9223372036854775807} "
       "resources{name:'mem' scalar:9223372036854775807}}}",
       v1::INVALID,
       {"expected a sum of at most", "use smaller amounts"}},
      {"accept{refuse_ms:0 offer_ids{OFFER} tasks{task_id:'t' "
       "resources{name:'cpus' scalar:9223372036854775807}}}",
       v1::NOT_ENOUGH,
       {"wants cpus:9223372036854775.807", "left of the offers is cpus:4"}},
      {"set_demand{declared:true demands{role:'web' shape{key:'cpus' value:-1} count:1}}",
       v1::INVALID,
       {"demand of cpus is -1", "expected 0 or more"}},
      {"set_demand{declared:true demands{role:'web' shape{key:'cpus' value:1} count:-1}}",
       v1::INVALID,
       {"count is -1", "expected 0 or more"}},
      {"decline{offer_ids{OFFER} refuse_ms:-1}",
       v1::INVALID,
       {"refuse_ms is -1", "expected 0 to 3600000"}},
      // Ids.
      {"accept{offer_ids{OFFER} tasks{task_id:'../../etc' resources{name:'cpus' scalar:1}}}",
       v1::INVALID,
       {"contains a character other than", "rename it"}},
      {"kill{task_id:''}", v1::INVALID, {"task id is empty", "give one"}},
      {"kill{task_id:'nobody'}", v1::UNKNOWN_TASK, {"no task \"nobody\""}},
      {"accept{}", v1::INVALID, {"names no offer", "expected at least one"}},
      // Stale offers.
      {"accept{offer_ids{epoch:1 n:999999} tasks{task_id:'t' resources{name:'cpus' scalar:1}}}",
       v1::STALE_OFFER,
       {"offer 1-999999 is not outstanding", "wait for new offers"}},
      {"accept{offer_ids{epoch:18446744073709551615 n:18446744073709551615}}",
       v1::STALE_OFFER,
       {"is not outstanding", "wait for new offers"}},
      {"decline{offer_ids{epoch:7 n:1}}",
       v1::STALE_OFFER,
       {"not an outstanding offer", "nothing to decline"}},
      // Numbers of enums that nobody knows, and a call of tomorrow.
      {"set_demand{declared:true demands{role:'web' shape{key:'cpus' value:1} count:1 "
       "constraints{fact:'rack' test:99 values:'x'}}}",
       v1::INVALID,
       {"test 99", "expected EXISTS, EQUALS, IN or MATCHES"}},
      {"decline{offer_ids{epoch:7 n:1} reason:77}", v1::STALE_OFFER, {"not an outstanding offer"}},
      {"", v1::INVALID, {"does not know that call", "may be older than the client"}},
      // Texts that programs run on.
      {"set_demand{declared:true demands{role:'web' shape{key:'cpus' value:1} count:1 "
       "constraints{fact:'rack' test:MATCHES values:'('}}}",
       v1::INVALID,
       {"expected a regular expression", "found \"(\""}},
  };
  RawScheduler scheduler(address());
  scheduler.Subscribe("nonsense");
  for (const BadCall& bad : calls) {
    SCOPED_TRACE(bad.call);
    const v1::CallResult result = scheduler.Answer(scheduler.Call(bad.call));
    ASSERT_GE(result.items_size(), 1);
    EXPECT_EQ(result.items(0).refusal(), bad.refusal) << result.ShortDebugString();
    for (const char* words : bad.words) EXPECT_THAT(result.items(0).message(), HasSubstr(words));
    ExpectBalanced();
    if (HasFatalFailure()) return;
  }
  scheduler.TearDown();
}

TEST_F(BadInput, TaskIdsAreTakenOnce) {
  RawScheduler scheduler(address());
  scheduler.Subscribe("twins");
  const std::string twin =
      " tasks{task_id:'twin' resources{name:'cpus' scalar:100} "
      "payload{command{argv:'sleep' argv:'1000'}}}";
  v1::CallResult result =
      scheduler.Answer(scheduler.Call("accept{refuse_ms:0 offer_ids{OFFER}" + twin + twin + "}"));
  ASSERT_EQ(result.items_size(), 2) << result.ShortDebugString();
  EXPECT_EQ(result.items(0).refusal(), v1::REFUSAL_UNSPECIFIED);
  EXPECT_EQ(result.items(1).refusal(), v1::DUPLICATE_TASK);
  EXPECT_THAT(result.items(1).message(), HasSubstr("twin"));
  ExpectBalanced();
  // And in a later call, while the first of that name lives.
  result = scheduler.Answer(scheduler.Call("accept{refuse_ms:0 offer_ids{OFFER}" + twin + "}"));
  ASSERT_EQ(result.items_size(), 1);
  EXPECT_EQ(result.items(0).refusal(), v1::DUPLICATE_TASK) << result.ShortDebugString();
  EXPECT_THAT(result.items(0).message(), HasSubstr("\"twin\""));
  ExpectBalanced();
  scheduler.Answer(scheduler.Call("kill{task_id:'twin' grace_ms:0}"));
  EXPECT_EQ(scheduler.End("twin").state(), v1::KILLED);
  scheduler.TearDown();
}

TEST_F(BadInput, AnOfferIsUsedOnceAndByItsOwner) {
  RawScheduler owner(address());
  owner.Subscribe("owner");
  const v1::EpochId offer = owner.AwaitOffer();
  const std::string accept = absl::StrCat(
      "accept{refuse_ms:3600000 offer_ids{epoch:", offer.epoch(), " n:", offer.n(), "}}");

  RawScheduler thief(address());
  thief.Subscribe("thief");
  v1::CallResult result = thief.Answer(thief.Call(accept));
  ASSERT_EQ(result.items_size(), 1);
  EXPECT_EQ(result.items(0).refusal(), v1::FOREIGN_OFFER) << result.ShortDebugString();
  EXPECT_THAT(result.items(0).message(), HasSubstr("another framework"));
  ExpectBalanced();

  result = owner.Answer(owner.Call(accept));
  EXPECT_EQ(result.items_size(), 0) << result.ShortDebugString();  // Nothing to launch: fine.
  result = owner.Answer(owner.Call(accept));
  EXPECT_EQ(result.items(0).refusal(), v1::STALE_OFFER) << result.ShortDebugString();
  EXPECT_THAT(result.items(0).message(), HasSubstr("wait for new offers"));
  ExpectBalanced();
  thief.TearDown();
  owner.TearDown();
}

TEST_F(BadInput, ProgramsAndUsersThatDoNotExistAreNamed) {
  RawScheduler scheduler(address());
  scheduler.Subscribe("typist");
  const auto launch = [&scheduler](const std::string& id, const std::string& command) {
    const v1::CallResult result = scheduler.Answer(scheduler.Call(
        absl::StrCat("accept{refuse_ms:0 offer_ids{OFFER} tasks{task_id:'", id,
                     "' resources{name:'cpus' scalar:100} payload{command{", command, "}}}}")));
    EXPECT_EQ(result.items(0).refusal(), v1::REFUSAL_UNSPECIFIED) << result.ShortDebugString();
    const v1::TaskStatus end = scheduler.End(id);
    EXPECT_EQ(end.state(), v1::FAILED) << end.ShortDebugString();
    EXPECT_EQ(end.reason(), v1::LAUNCH_FAILED) << end.ShortDebugString();
    ExpectBalanced();
    return end.message();
  };
  EXPECT_THAT(launch("program", "argv:'/no/such/program'"),
              HasSubstr("program '/no/such/program' does not exist"));
  EXPECT_THAT(launch("in-path", "argv:'no-such-program'"),
              HasSubstr("program 'no-such-program' not found in PATH"));
  EXPECT_THAT(launch("user", "argv:'true' user:'no-such-user'"),
              HasSubstr("user 'no-such-user' does not exist on the agent"));
  EXPECT_THAT(launch("nothing", ""), HasSubstr("expected argv with at least the program's name"));
  scheduler.TearDown();
}

TEST_F(BadInput, AStreamBeginsWithHello) {
  RawScheduler scheduler(address());
  scheduler.Call("suppress{}");
  v1::StreamError error = scheduler.AwaitError();
  EXPECT_EQ(error.refusal(), v1::NOT_SUBSCRIBED) << error.ShortDebugString();
  EXPECT_THAT(error.message(), AllOf(HasSubstr("must be `subscribe`"), HasSubstr("new stream")));

  RawAgent agent(address());
  agent.Say(FromText<v1::AgentMessage>("update{framework_id:'f' status{task_id:'t'}}"));
  const v1::AgentError refused = agent.AwaitError();
  EXPECT_EQ(refused.refusal(), v1::NOT_SUBSCRIBED) << refused.ShortDebugString();
  EXPECT_THAT(refused.message(), HasSubstr("hello"));
}

TEST_F(BadInput, SubscriptionsThatBreakARuleEndTheStream) {
  const std::vector<BadCall> calls = {
      {"subscribe{framework{name:'x' roles:'/'}}", v1::INVALID, {"found \"/\""}},
      {"subscribe{framework{name:'x'}}", v1::INVALID, {"at least one role"}},
      {"subscribe{framework{name:'' roles:'web'}}", v1::INVALID, {"framework name is empty"}},
      {"subscribe{framework{name:'x' roles:'web'} suppressed_roles:'db'}",
       v1::UNKNOWN_ROLE,
       {"\"db\" is not among the framework's roles (web)"}},
      {"subscribe{framework{name:'x' roles:'web' failover_timeout_ms:-1}}",
       v1::INVALID,
       {"failover_timeout_ms is -1", "expected 0"}},
      {"subscribe{framework{name:'x' roles:'web' framework_id:'F-nobody'}}",
       v1::UNKNOWN_FRAMEWORK,
       {"F-nobody is not known", "subscribe without an id"}},
      {"subscribe{framework{name:'x' roles:'web' framework_id:'../x'}}",
       v1::INVALID,
       {"framework id contains a character other than"}},
      {"subscribe{version{major:99} framework{name:'x' roles:'web'}}",
       v1::UNSUPPORTED_VERSION,
       {"the peer is 99.0.0", "upgrade the older"}},
  };
  for (const BadCall& bad : calls) {
    SCOPED_TRACE(bad.call);
    RawScheduler scheduler(address());
    auto call = FromText<v1::SchedulerCall>(bad.call);
    if (!call.subscribe().has_version()) {
      convert::ToProto(model::ThisVersion(), call.mutable_subscribe()->mutable_version());
    }
    scheduler.Send(call);
    const v1::StreamError error = scheduler.AwaitError();
    EXPECT_EQ(error.refusal(), bad.refusal) << error.ShortDebugString();
    for (const char* words : bad.words) EXPECT_THAT(error.message(), HasSubstr(words));
    ExpectBalanced();
  }
}

TEST_F(BadInput, ASecondStreamOfOneFrameworkTakesOver) {
  RawScheduler first(address());
  first.Subscribe("twice");
  first.AwaitOffer();
  RawScheduler second(address());
  second.Subscribe("twice", first.id());
  const v1::StreamError error = first.AwaitError();
  EXPECT_EQ(error.refusal(), v1::SUPERSEDED);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(first.id()), HasSubstr("this one must stop")));
  EXPECT_EQ(second.id(), first.id());
  second.AwaitOffer();
  ExpectBalanced();
  second.TearDown();
}

// The hello of an agent with one cpu; `fields` come on top.
v1::AgentMessage Hello(const std::string& fields) {
  auto message =
      FromText<v1::AgentMessage>("hello{info{hostname:'raw' resources{name:'cpus' scalar:1000}}}");
  convert::ToProto(model::ThisVersion(), message.mutable_hello()->mutable_version());
  message.MergeFrom(FromText<v1::AgentMessage>(absl::StrCat("hello{", fields, "}")));
  return message;
}

TEST_F(BadInput, AgentsThatCannotBeAdmittedAreToldWhy) {
  struct BadHello {
    const char* fields;
    v1::Refusal refusal;
    std::vector<const char*> words;
  };
  const std::vector<BadHello> hellos = {
      {"cluster_id:'other'",
       v1::WRONG_CLUSTER,
       {"belongs to cluster other", "this is cluster test", "another work directory"}},
      {"highest_epoch:99", v1::STALE_EPOCH, {"has obeyed epoch 99", "registry was set back"}},
      {"agent_id:'../x'", v1::INVALID, {"agent id contains a character other than"}},
      {"info{hostname:'a/b'}", v1::INVALID, {"hostname contains a character other than"}},
      {"info{resources{name:'mem' scalar:-1}}", v1::INVALID, {"an amount is never negative"}},
      {"info{resources{name:'mem' scalar:9223372036854775807}}",
       v1::INVALID,
       {"more than can be counted", "correct its --resources"}},
      {"info{attributes{name:'rack'}}", v1::INVALID, {"\"rack\" has no value"}},
      {"version{major:99}", v1::UNSUPPORTED_VERSION, {"the peer is 99.", "upgrade the older"}},
  };
  for (const BadHello& bad : hellos) {
    SCOPED_TRACE(bad.fields);
    RawAgent agent(address());
    agent.Say(Hello(bad.fields));
    const v1::AgentError error = agent.AwaitError();
    EXPECT_EQ(error.refusal(), bad.refusal) << error.ShortDebugString();
    for (const char* words : bad.words) EXPECT_THAT(error.message(), HasSubstr(words));
    ExpectBalanced();
  }
}

TEST_F(BadInput, ASecondStreamOfOneAgentFencesTheFirst) {
  RawAgent first(address());
  first.Say(Hello(""));
  const std::string id = first.Await(v1::AgentOrder::kWelcome).welcome().agent_id();
  RawAgent second(address());
  second.Say(Hello(absl::StrCat("agent_id:'", id, "'")));
  const v1::AgentError error = first.AwaitError();
  EXPECT_EQ(error.refusal(), v1::SUPERSEDED) << error.ShortDebugString();
  EXPECT_THAT(error.message(), HasSubstr("another process connected as agent " + id));
  EXPECT_EQ(second.Await(v1::AgentOrder::kWelcome).welcome().agent_id(), id);
  ExpectBalanced();
  // What it reports is nonsense: told so, and out.
  second.Say(FromText<v1::AgentMessage>(
      "tasks{tasks{task_id:'t' framework_id:'f' resources{name:'cpus' scalar:-1}} last:true}"));
  const v1::AgentError nonsense = second.AwaitError();
  EXPECT_EQ(nonsense.refusal(), v1::INVALID);
  EXPECT_THAT(nonsense.message(), HasSubstr("an amount is never negative"));

  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(10'000));
  v1::MarkAgentGoneRequest request;
  request.set_agent_id(id);
  v1::MarkAgentGoneResponse response;
  EXPECT_TRUE(cluster_->stub().MarkAgentGone(&context, request, &response).ok());
  RawAgent late(address());
  late.Say(Hello(absl::StrCat("agent_id:'", id, "'")));
  const v1::AgentError gone = late.AwaitError();
  EXPECT_EQ(gone.refusal(), v1::AGENT_GONE);
  EXPECT_THAT(gone.message(), HasSubstr("wipe its work directory"));
}

TEST_F(BadInput, AnAgentWithTheWorkDirectoryOfAnotherClusterStops) {
  MiniCluster other(
      {.agents = 1, .resources = "cpus:1;mem:64MiB", .cluster = "other", .on_disk = false});
  other.KillAgent(1);
  const std::string words = cluster_->RunAgentIn(other.work_dir(1));
  EXPECT_THAT(words, AllOf(HasSubstr("work directory belongs to cluster other"),
                           HasSubstr("cluster test"), HasSubstr("work directory")));
  EXPECT_EQ(cluster_->List(v1::AGENTS, true).size(), cluster_->List(v1::AGENTS).size());
}

TEST_F(BadInput, AMessageThatIsTooLargeEndsItsOwnStreamOnly) {
  RawScheduler bystander(address());
  bystander.Subscribe("bystander");
  RawScheduler scheduler(address());
  scheduler.Subscribe("large");
  v1::SchedulerCall call;
  call.mutable_kill()->set_task_id(std::string(limits::kMessageBytes + 1, 'x'));
  scheduler.Send(call);
  const grpc::Status status = scheduler.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr(absl::StrCat(limits::kMessageBytes)));
  ExpectBalanced();
  RawScheduler again(address());
  again.Subscribe("large", scheduler.id());
  again.TearDown();
  bystander.AwaitOffer();
  bystander.TearDown();
}

TEST_F(BadInput, BytesThatAreNoCallAndNoProtocolHarmNobody) {
  RawScheduler bystander(address());
  bystander.Subscribe("bystander");
  Prng prng(7);
  for (int round = 0; round < 20; ++round) {
    std::string bytes = "\xFF";  // No field begins so.
    for (uint64_t i = prng.Below(300); i > 0; --i) {
      bytes.push_back(static_cast<char>(prng.Below(256)));
    }
    const grpc::Status status = testing::SendBytesAsCall(address(), bytes);
    EXPECT_FALSE(status.ok());
    testing::SendToSocket(address().substr(5),
                          round % 2 == 0 ? bytes : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes);
  }
  // A text that is not UTF-8: no proto string may hold it.
  const grpc::Status status = testing::SendBytesAsCall(address(), "\x42\x04\x0A\x02\xC3\x28");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), AllOf(HasSubstr("expected a proffer.v1.SchedulerCall"),
                                            HasSubstr("not UTF-8"), HasSubstr("see the .proto")));
  const v1::CallResult result = bystander.Answer(bystander.Call("revive{}"));
  EXPECT_EQ(result.items(0).refusal(), v1::REFUSAL_UNSPECIFIED);
  bystander.TearDown();
}

TEST_F(BadInput, QuestionsOfOperatorsThatMakeNoSenseAreAnswered) {
  v1::OperatorService::Stub& stub = cluster_->stub();
  const auto ask = [](auto method, auto request, auto response) {
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(10'000));
    return method(&context, request, &response);
  };
  const auto expect = [](const grpc::Status& status, grpc::StatusCode code, const char* words) {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(words));
  };
#define PROFFER_ASK(Method, request)                                                               \
  ask([&stub](auto* context, const auto& in, auto* out) { return stub.Method(context, in, out); }, \
      request, v1::Method##Response())
  v1::ListRequest list;
  list.set_kind(v1::TASKS);
  list.set_page_token("made up");
  expect(PROFFER_ASK(List, list), grpc::StatusCode::INVALID_ARGUMENT, "page");
  list.clear_page_token();
  list.set_kind(static_cast<v1::Kind>(77));
  expect(PROFFER_ASK(List, list), grpc::StatusCode::INVALID_ARGUMENT, "kind");
  v1::SetRoleWeightRequest weight;
  weight.set_role("a//b");
  weight.set_weight_thousandths(1000);
  expect(PROFFER_ASK(SetRoleWeight, weight), grpc::StatusCode::INVALID_ARGUMENT, "a//b");
  weight.set_role("web");
  for (const int64_t thousandths : {int64_t{-1}, int64_t{0}, INT64_MAX}) {
    weight.set_weight_thousandths(thousandths);
    expect(PROFFER_ASK(SetRoleWeight, weight), grpc::StatusCode::INVALID_ARGUMENT, "0.001");
  }
  v1::KillTaskRequest kill_task;
  kill_task.set_framework_id("nobody");
  kill_task.set_task_id("nothing");
  expect(PROFFER_ASK(KillTask, kill_task), grpc::StatusCode::NOT_FOUND, "nothing");
  v1::TeardownFrameworkRequest tear_down;
  tear_down.set_framework_id("nobody");
  expect(PROFFER_ASK(TeardownFramework, tear_down), grpc::StatusCode::NOT_FOUND, "nobody");
  v1::MarkAgentGoneRequest gone;
  gone.set_agent_id("nobody");
  expect(PROFFER_ASK(MarkAgentGone, gone), grpc::StatusCode::NOT_FOUND, "nobody");
  v1::ExplainRequest explain;
  expect(PROFFER_ASK(Explain, explain), grpc::StatusCode::INVALID_ARGUMENT, "name a framework");
  explain.set_subject("nobody");
  expect(PROFFER_ASK(Explain, explain), grpc::StatusCode::NOT_FOUND, "nobody");
#undef PROFFER_ASK
}

}  // namespace
}  // namespace proffer
