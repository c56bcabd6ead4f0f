// The public SDK against a scripted master, over real gRPC on a unix socket.
#include "proffer/framework.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/convert/task.h"
#include "proffer/scheduler.h"
#include "proffer/units.h"
#include "support/fake_master.h"
#include "unit/sdk/core_fixture.h"

namespace proffer {
namespace {

using sdk::MakeOffer;
using sdk::MakeStatus;
using ::testing::ElementsAre;
using testing::FakeMaster;
using ::testing::HasSubstr;
using ::testing::SizeIs;

model::TaskStatus Ended(const model::TaskSpec& spec, model::TaskState state, int exit_code) {
  model::TaskStatus status = MakeStatus(spec.id.value(), state, 1, spec.intent_id);
  status.exit_code = exit_code;
  return status;
}

class FrameworkTest : public ::testing::Test {
 protected:
  FrameworkOptions Options() { return {.name = "test", .master = master_.address()}; }
  std::unique_ptr<Framework> Start(FrameworkOptions options) {
    auto framework = Framework::Start(std::move(options));
    EXPECT_TRUE(framework.ok()) << framework.status();
    return framework.ok() ? *std::move(framework) : nullptr;
  }
  static Task Hello() { return Task{"hello"}.Command("echo hello").Cpus(0.5).Mem(32_MiB); }

  FakeMaster master_;
};

TEST_F(FrameworkTest, ATaskIsPlacedRunAndItsEndAcknowledgedAfterTheCallback) {
  auto framework = Start(Options());
  EXPECT_TRUE(master_.Expect<model::Subscribe>()->framework.ephemeral);
  std::vector<int> codes;
  const proffer::Run run = framework->Submit(Hello().Env("A", "b").User("nobody"));
  run.OnDone([&](const Result& result) { codes.push_back(result.exit_code.value_or(-1)); });
  std::vector<TaskState> states;
  run.OnStatus([&](const TaskStatus& status) { states.push_back(status.state); });
  const auto demand = master_.Expect<model::SetDemand>();
  EXPECT_EQ(demand->demands.at(0).shape.ToString(), "cpus:0.5;mem:32MiB");
  EXPECT_FALSE(run.done());

  master_.Tell(model::Offers{{MakeOffer(1)}});
  const auto accept = master_.Expect<model::Accept>();
  const model::TaskSpec spec = accept->tasks.at(0);
  v1::TaskPayload payload;
  ASSERT_TRUE(payload.ParseFromString(*spec.payload));
  EXPECT_THAT(payload.command().argv(), ElementsAre("/bin/sh", "-c", "echo hello"));
  EXPECT_EQ(payload.command().user(), "nobody");
  EXPECT_EQ(payload.command().environment(0).name(), "A");

  master_.Tell(MakeStatus("hello", model::TaskState::kRunning, 1, spec.intent_id));
  EXPECT_EQ(master_.Expect<model::Acknowledge>()->sequence, 1u);
  model::TaskStatus end = Ended(spec, model::TaskState::kFailed, 3);
  end.sequence = 2;
  master_.Tell(end);
  EXPECT_EQ(master_.Expect<model::Acknowledge>()->sequence, 2u);
  EXPECT_THAT(codes, ElementsAre(3));  // Before the acknowledgement.
  EXPECT_THAT(states, ElementsAre(TaskState::kRunning));
  // Who asks only now has missed nothing.
  std::vector<TaskState> later;
  run.OnStatus([&](const TaskStatus& status) { later.push_back(status.state); });
  EXPECT_THAT(later, ElementsAre(TaskState::kRunning));

  const Result& result = run.Wait();
  EXPECT_EQ(result.state, TaskState::kFailed);
  EXPECT_EQ(result.ExitStatus(), 3);
  EXPECT_EQ(result.hostname, "host-A-1");
  EXPECT_EQ(result.launches, 1);
  EXPECT_TRUE(framework->WaitAll());
}

TEST_F(FrameworkTest, OutputIsReadThroughTheMaster) {
  master_.SetOutput("hello", "hello from far away\n");
  auto framework = Start(Options());
  const proffer::Run run = framework->Submit(Hello());
  EXPECT_TRUE(master_.Expect<model::SetDemand>());
  master_.Tell(model::Offers{{MakeOffer(1)}});
  master_.Tell(Ended(master_.Expect<model::Accept>()->tasks.at(0), model::TaskState::kFinished, 0));
  EXPECT_TRUE(master_.Expect<model::Acknowledge>());
  EXPECT_EQ(run.Wait().Stdout().value_or("?"), "hello from far away\n");
  EXPECT_EQ(run.Wait().Stdout(5).value_or("?"), "away\n");
}

TEST_F(FrameworkTest, WhatIsNotDurableIsTornDownAtTheEnd) {
  auto framework = Start(Options());
  EXPECT_TRUE(master_.Expect<model::Subscribe>());
  std::thread end([&] { framework.reset(); });
  EXPECT_TRUE(master_.Expect<model::Teardown>());
  end.join();
}

TEST_F(FrameworkTest, ATaskThatIsWrongEndsAtOnce) {
  auto framework = Start(Options());
  EXPECT_EQ(framework->Submit(Hello().Cpus(-1)).Wait().state, TaskState::kError);
  EXPECT_EQ(framework->Submit(Task{"idle"}.Cpus(1)).Wait().state, TaskState::kError);
  EXPECT_THAT(framework->Submit(Hello().Command("cat caf\xE9")).Wait().message,
              HasSubstr("\"cat caf\\xe9\" is not UTF-8"));
  const proffer::Run no_resources = framework->Submit(Task{"t"}.Command("true"));
  EXPECT_THAT(no_resources.Wait().message, HasSubstr("wants no resources"));
  EXPECT_EQ(no_resources.Wait().ExitStatus(), 125);
  EXPECT_FALSE(no_resources.Wait().Stdout().ok());
}

TEST_F(FrameworkTest, ARefusedFrameworkEndsItsRunsWithTheReason) {
  master_.RefuseSubscriptions(model::Refusal::kUnauthorized, "you may not");
  auto framework = Start(Options());
  const proffer::Run run = framework->Submit(Hello());
  EXPECT_TRUE(master_.Expect<model::Subscribe>());
  EXPECT_THAT(run.Wait().message, HasSubstr("you may not"));
  EXPECT_FALSE(framework->WaitAll());
  EXPECT_EQ(framework->stopped()->cause, StopCause::kRefused);
  EXPECT_EQ(framework->stopped()->refusal, "UNAUTHORIZED");
  EXPECT_EQ(framework->Submit(Hello()).Wait().state, TaskState::kUnknown);
}

TEST_F(FrameworkTest, ADurableFrameworkTakesItsTasksUpInItsNextLife) {
  auto store = std::make_shared<MemoryStateStore>();
  FrameworkOptions options = Options();
  options.state_store = store;
  auto first = Start(options);
  EXPECT_TRUE(first->Submit(Hello()).task_id() == "hello");
  EXPECT_FALSE(master_.Expect<model::Subscribe>()->framework.ephemeral);
  EXPECT_TRUE(master_.Expect<model::SetDemand>());
  master_.Tell(model::Offers{{MakeOffer(1)}});
  const model::TaskSpec spec = master_.Expect<model::Accept>()->tasks.at(0);
  first.reset();

  auto second = Start(options);
  const proffer::Run run = second->Submit(Hello());
  EXPECT_EQ(master_.Expect<model::Subscribe>()->framework.id.value(), "F-fake");
  const auto question = master_.Expect<model::Reconcile>();
  EXPECT_EQ(question->tasks.at(0).task.value(), "hello");
  master_.Tell(Ended(spec, model::TaskState::kFinished, 0));
  EXPECT_TRUE(run.Wait().ok());
  EXPECT_TRUE(master_.Expect<model::Acknowledge>());
}

TEST_F(FrameworkTest, RunsMayOutliveTheirFramework) {
  auto framework = Start(Options());
  const proffer::Run run = framework->Submit(Hello());
  EXPECT_TRUE(master_.Expect<model::Subscribe>());
  std::thread end([&] { framework.reset(); });
  EXPECT_TRUE(master_.Expect<model::Teardown>());
  end.join();
  EXPECT_THAT(run.Wait().message, HasSubstr("the framework stopped"));
  run.Kill();
}

TEST_F(FrameworkTest, TheNextMasterIsTriedWhereOneDoesNotAnswer) {
  FrameworkOptions options = Options();
  options.master = "unix:/tmp/proffer-nobody-listens-here," + master_.address();
  auto framework = Start(options);
  EXPECT_TRUE(master_.Expect<model::Subscribe>());
}

TEST_F(FrameworkTest, OptionsThatCannotWorkAreRefused) {
  FrameworkOptions options = Options();
  options.name = "no blanks";
  EXPECT_EQ(Framework::Start(options).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.roles = {};
  EXPECT_EQ(Framework::Start(options).status().code(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.master = "nonsense";
  EXPECT_EQ(Framework::Start(options).status().code(), absl::StatusCode::kInvalidArgument);
}

// --- Schedulers that see offers ---

// Writes down what it is told; a test may take part in each callback.
struct Recorder : Scheduler {
  void OnConnected(const Connected& connected) override {
    Put("connected " + connected.framework_id);
  }
  void OnDisconnected(const std::string&) override { Put("disconnected"); }
  void OnOffers(Offers offers) override {
    if (on_offers) on_offers(offers);
    Put("offers");
  }
  void OnOffersVoid(const std::vector<std::string>& ids, const std::string&) override {
    Put("void " + ids.at(0));
  }
  void OnStatus(const TaskStatus& status) override {
    if (on_status) on_status(status);
    Put(status.task_id + " " + std::string(Name(status.state)));
  }
  void OnAnswer(const CallAnswer& answer) override { Put("answer " + std::to_string(answer.call)); }
  void OnAgentChanged(const std::string& agent, AgentChange) override { Put("agent " + agent); }
  void OnReconciled() override { Put("reconciled"); }
  void OnStopped(const Stopped& stopped) override { Put("stopped " + stopped.refusal); }

  void Put(std::string line) {
    MutexLock lock(&mutex);
    lines.push_back(std::move(line));
    changed.SignalAll();
  }
  // Until that line was told.
  void Until(const std::string& line) {
    MutexLock lock(&mutex);
    while (std::find(lines.begin(), lines.end(), line) == lines.end()) {
      if (!changed.WaitFor(&mutex, 30'000)) {
        ADD_FAILURE() << "never told: " << line;
        return;
      }
    }
  }
  using Scheduler::driver;

  std::function<void(Offers&)> on_offers;
  std::function<void(const TaskStatus&)> on_status;
  Mutex mutex;
  CondVar changed;
  std::vector<std::string> lines;
};

class SchedulerDriverTest : public FrameworkTest {
 protected:
  std::unique_ptr<SchedulerDriver> Drive(Recorder* recorder) {
    auto driver = SchedulerDriver::Start(Options(), recorder);
    EXPECT_TRUE(driver.ok()) << driver.status();
    return driver.ok() ? *std::move(driver) : nullptr;
  }
};

TEST_F(SchedulerDriverTest, OffersLetGoAreDeclinedAndThoseUsedAccepted) {
  Recorder recorder;
  std::vector<Offer> kept;
  recorder.on_offers = [&](Offers& offers) {
    EXPECT_EQ(offers.at(0).hostname(), "host-A-1");
    EXPECT_TRUE(offers.at(0).Launch(Hello()).ok());
    EXPECT_TRUE(offers.at(0).Launch(Hello().Id("second")).ok());
    EXPECT_EQ(offers.at(0).resources().ToQuantities().Get(kCpus), 3000);
    EXPECT_EQ(offers.at(0).Launch(Hello().Cpus(64)).code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(offers.at(0).Launch(Hello().Require("rack==r1")).code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(offers.at(0).Launch(Task{"t"}.Cpus(1)).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(offers.at(0).resources().ToQuantities().Get(kCpus), 3000);
    offers.at(1).Refuse(std::chrono::seconds(60), DeclineReason::kNothingToRun);
    kept.push_back(std::move(offers.at(2)));
  };
  auto driver = Drive(&recorder);
  EXPECT_TRUE(master_.Expect<model::Subscribe>());
  master_.Tell(model::Offers{{MakeOffer(1), MakeOffer(2), MakeOffer(3)}});
  const auto accept = master_.Expect<model::Accept>();
  EXPECT_THAT(accept->offers, ElementsAre(model::OfferId{1, 1}));
  EXPECT_THAT(accept->tasks, SizeIs(2));
  EXPECT_FALSE(accept->tasks.at(0).intent_id.empty());
  const auto decline = master_.Expect<model::Decline>();
  EXPECT_THAT(decline->offers, ElementsAre(model::OfferId{1, 2}));
  EXPECT_EQ(decline->refuse_ms, 60'000);
  EXPECT_EQ(decline->reason, model::DeclineReason::kNothingToRun);
  recorder.Until("offers");
  kept.clear();
  EXPECT_THAT(master_.Expect<model::Decline>()->offers, ElementsAre(model::OfferId{1, 3}));
  driver.reset();
  EXPECT_EQ(recorder.lines.back(), "stopped ");
}

TEST_F(SchedulerDriverTest, ATaskMayBeLaunchedAgainFromTheCallbackThatTellsItsEnd) {
  Recorder recorder;
  std::vector<Offer> kept;
  recorder.on_offers = [&](Offers& offers) {
    EXPECT_TRUE(offers.at(0).Launch(Hello()).ok());
    for (size_t i = 1; i < offers.size(); ++i) kept.push_back(std::move(offers[i]));
  };
  recorder.on_status = [&](const TaskStatus& status) {
    EXPECT_TRUE(status.final);
    EXPECT_TRUE(status.own);
    EXPECT_TRUE(kept.back().Launch(Hello()).ok());
    kept.clear();
  };
  auto driver = Drive(&recorder);
  EXPECT_TRUE(master_.Expect<model::Subscribe>());
  master_.Tell(model::Offers{{MakeOffer(1), MakeOffer(2)}});
  const model::TaskSpec spec = master_.Expect<model::Accept>()->tasks.at(0);
  recorder.Until("offers");
  master_.Tell(Ended(spec, model::TaskState::kFailed, 1));
  EXPECT_TRUE(master_.Expect<model::Acknowledge>());
  const auto again = master_.Expect<model::Accept>();
  EXPECT_EQ(again->tasks.at(0).id.value(), "hello");
  EXPECT_NE(again->tasks.at(0).intent_id, spec.intent_id);
}

TEST_F(SchedulerDriverTest, EverythingElseIsTold) {
  Recorder recorder;
  auto driver = Drive(&recorder);
  EXPECT_TRUE(master_.Expect<model::Subscribe>());
  recorder.Until("connected F-fake");
  EXPECT_TRUE(master_.Expect<model::Reconcile>());
  recorder.Until("reconciled");
  const uint64_t call = driver->Kill("t", std::chrono::seconds(1));
  EXPECT_EQ(master_.Expect<model::Kill>()->grace_ms, 1000);
  recorder.Until("answer " + std::to_string(call));
  driver->SetDemand({{.shape = {{kCpus, 1000}}, .count = 3}});
  EXPECT_EQ(master_.Expect<model::SetDemand>()->demands.at(0).role, "default");
  master_.Tell(model::AgentChanged{model::AgentId("A-1"), model::AgentChanged::Change::kGone});
  recorder.Until("agent A-1");
  std::vector<Offer> kept;
  recorder.on_offers = [&](Offers& offers) { kept = std::move(offers); };
  master_.Tell(model::Offers{{MakeOffer(1)}});
  recorder.Until("offers");
  master_.Tell(model::Rescinded{{{1, 1}}, "for a reason"});
  recorder.Until("void 1-1");
  // Launched on an offer that is no more: told as dropped.
  EXPECT_TRUE(kept.at(0).Launch(Hello()).ok());
  kept.clear();
  recorder.Until("hello DROPPED");
  master_.Break(grpc::Status(grpc::StatusCode::UNAVAILABLE, "going down"));
  recorder.Until("disconnected");
  EXPECT_EQ(master_.Expect<model::Subscribe>()->framework.id.value(), "F-fake");
  master_.Tell(model::StreamError{model::Refusal::kSuperseded, "a newer one"});
  recorder.Until("stopped SUPERSEDED");
  EXPECT_EQ(driver->Wait().cause, StopCause::kSuperseded);
}

}  // namespace
}  // namespace proffer
