// A master core on a stage: commands as text, agents and schedulers by their names, what the core
// decides as readable lines. The language is told in tests/data/master/registration.txt and the
// files beside it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/outbox.h"
#include "master/core/core.h"
#include "support/scenario.h"
#include "unit/master/effect_text.h"
#include "unit/master/peers.h"

namespace proffer::master {

class Stage {
 public:
  Stage();
  virtual ~Stage() = default;

  void Perform(const testing::ScenarioCommand& command, std::string* output);

 protected:
  // Commands that only a derived stage knows; false if it does not either.
  virtual bool PerformMore(const testing::ScenarioCommand& command) { return false; }

  // One turn with these events, and with whatever the peers answer to it, in turns of their own.
  void Turn(std::vector<Event> events);
  void Say(const std::string& line);
  FakeScheduler& Scheduler(const std::string& name);
  FakeAgent& AgentOf(const std::string& name);
  Time now() const { return now_; }

 private:
  using Out = std::variant<ToAgent, ToScheduler>;

  void OneTurn(const std::vector<Event>& events);
  void Deliver(const Out& out);
  void Deliver(const ToAgent& out);
  void Deliver(const ToScheduler& out);
  void Learn(const Effects& effects);
  void Print(const Effects& effects);
  void Apply(const std::vector<Delta>& deltas);
  // Whether readers, who only see deltas, know what the core knows.
  void CompareReaders();
  StreamId OpenStream(const std::string& name);

  std::vector<model::OfferId> OffersOf(const std::string& framework, const std::string& text);
  void Begin(const testing::ScenarioCommand& command);
  void Agent(const testing::ScenarioCommand& command);
  void Framework(const testing::ScenarioCommand& command);
  void Connect(const testing::ScenarioCommand& command);
  void Disconnect(const std::string& name);
  void Call(const testing::ScenarioCommand& command, decltype(model::SchedulerCall::call) call);
  bool PerformCall(const testing::ScenarioCommand& command);
  bool PerformOfAgent(const testing::ScenarioCommand& command);
  void Operator(const testing::ScenarioCommand& command);
  void Show(const testing::ScenarioCommand& command);
  void Run(int64_t ms);

  Config config_;
  Registry registry_;  // Of what is durable.
  std::vector<WriteRecord> not_durable_;
  bool disk_stopped_ = false;
  std::unique_ptr<Core> core_;
  Time now_{1'000};
  Outbox<StreamId, Out> outbox_;
  uint64_t written_ = 0;
  StreamId last_stream_ = 0;
  uint64_t last_request_ = 0;
  std::map<std::string, FakeAgent> agents_;
  std::map<std::string, FakeScheduler> schedulers_;
  Names names_;
  bool show_notes_ = false;
  bool show_heartbeats_ = false;
  std::vector<Event> reactions_;
  std::map<std::string, std::string> readers_;  // By key, what readers were told.
  std::string* output_ = nullptr;
};

}  // namespace proffer::master
