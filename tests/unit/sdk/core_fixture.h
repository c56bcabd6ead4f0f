// Drives a scheduler's core by hand: sends events, collects effects, stands in for the store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/core/framework_core.h"

namespace proffer::sdk {

inline Resources ResourcesOf(const std::string& text) {
  absl::StatusOr<Resources> parsed = Resources::Parse(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *std::move(parsed);
}

inline model::Offer MakeOffer(uint64_t n, const std::string& agent = "A-1",
                              const std::string& resources = "cpus:4;mem:4GiB;ports:[100-110]") {
  model::Offer offer;
  offer.id = {1, n};
  offer.role = "default";
  offer.agent = model::AgentId(agent);
  offer.facts.hostname = "host-" + agent;
  offer.resources = ResourcesOf(resources);
  offer.resources_generation = 1;
  return offer;
}

inline model::TaskSpec MakeSpec(const std::string& id, const std::string& intent = "") {
  model::TaskSpec spec;
  spec.id = model::TaskId(id);
  spec.name = id;
  spec.resources = ResourcesOf("cpus:1");
  spec.payload = std::make_shared<const std::string>("run");
  spec.intent_id = intent;
  return spec;
}

inline model::TaskStatus MakeStatus(const std::string& id, model::TaskState state,
                                    uint64_t sequence, const std::string& intent = "",
                                    uint64_t attempt = 1) {
  model::TaskStatus status;
  status.task = model::TaskId(id);
  status.attempt = {1, attempt};
  status.agent = model::AgentId("A-1");
  status.state = state;
  status.sequence = sequence;
  status.intent_id = intent;
  status.source = model::StatusSource::kAgent;
  return status;
}

class CoreFixture : public ::testing::Test {
 protected:
  static Config DefaultConfig() {
    Config config;
    config.framework.name = "test";
    config.framework.roles = {"default"};
    config.seed = 7;
    return config;
  }

  void StartCore(Config config = DefaultConfig(),
                 std::optional<TaskQueue::Options> queue = std::nullopt) {
    core_ = std::make_unique<FrameworkCore>(std::move(config), std::move(queue));
    core_->Start(now_, &all_);
    Take();
  }
  void StartCoreWithQueue(Config config = DefaultConfig()) {
    StartCore(std::move(config), TaskQueue::Options{{"default"}});
  }

  // Steps, and lets the store be durable at once unless `hold_saves_`.
  void Do(Input input) {
    core_->Step(now_, input, &all_);
    Take();
  }
  void Tick() {
    core_->Tick(now_, &all_);
    Take();
  }
  void AdvanceTo(Time time) {
    now_ = time;
    Tick();
  }
  void Hear(model::SchedulerEvent event) { Do(EventReceived{stream_, now_, std::move(event)}); }
  void SaveAll() {
    const uint64_t seq = saved_to_;
    Do(Saved{seq});
  }

  void OpenStream() { Do(StreamUp{++stream_}); }
  void BreakStream() { Do(StreamDown{stream_, "broken by the test"}); }
  void Welcome(const std::string& id = "F-1") {
    Hear(model::Subscribed{model::ThisVersion(), model::FrameworkId(id), "cluster", 1, 5000});
  }
  // A stream, subscribed and with nothing left to reconcile.
  void Subscribe() {
    OpenStream();
    Welcome();
    AnswerAll();
    Clear();
  }
  // Answers every call so far with ok.
  void AnswerAll() {
    size_t answered = 0;
    while (answered < calls_.size()) {
      const uint64_t call_id = calls_[answered++].call_id;
      if (call_id != 0) Hear(model::CallResult{call_id, {{"", model::Outcome::Ok(), {}}}});
    }
  }
  void Clear() {
    calls_.clear();
    deliveries_.clear();
    notices_.clear();
    saves_.clear();
    connects_.clear();
    dropped_.reset();
  }

  // The calls of one kind since the last Clear.
  template <typename Call>
  std::vector<Call> Calls() const {
    std::vector<Call> found;
    for (const model::SchedulerCall& call : calls_) {
      if (const auto* one = std::get_if<Call>(&call.call)) found.push_back(*one);
    }
    return found;
  }
  template <typename Call>
  uint64_t LastCallId() const {
    for (auto it = calls_.rbegin(); it != calls_.rend(); ++it) {
      if (std::holds_alternative<Call>(it->call)) return it->call_id;
    }
    ADD_FAILURE() << "no such call";
    return 0;
  }
  template <typename What>
  std::vector<What> Told() const {
    std::vector<What> found;
    for (const Delivery& delivery : deliveries_) {
      if (const auto* one = std::get_if<What>(&delivery)) found.push_back(*one);
    }
    return found;
  }
  template <typename What>
  std::vector<What> Noticed() const {
    std::vector<What> found;
    for (const Notice& notice : notices_) {
      if (const auto* one = std::get_if<What>(&notice)) found.push_back(*one);
    }
    return found;
  }
  Update LastUpdate() const {
    const std::vector<Update> updates = Told<Update>();
    if (updates.empty()) {
      ADD_FAILURE() << "no update was told";
      return {};
    }
    return updates.back();
  }

  Time now_{1'000'000};
  uint64_t stream_ = 0;
  bool hold_saves_ = false;
  std::unique_ptr<FrameworkCore> core_;
  std::vector<model::SchedulerCall> calls_;
  std::vector<Delivery> deliveries_;
  std::vector<Notice> notices_;
  std::vector<Save> saves_;
  std::vector<int64_t> connects_;  // Delays.
  std::optional<DropStream> dropped_;
  std::optional<Stop> stop_;
  std::map<std::string, std::string> store_;

 private:
  void Take() {
    Output output = std::exchange(all_, {});
    Effects& effects = output.effects;
    for (Save& save : effects.saves) {
      saved_to_ = save.seq;
      for (const Change& change : save.changes) {
        if (change.value) {
          store_[change.key] = *change.value;
        } else {
          store_.erase(change.key);
        }
      }
      saves_.push_back(std::move(save));
    }
    for (SendCall& call : effects.calls) {
      EXPECT_EQ(call.stream, stream_);
      calls_.push_back(std::move(call.call));
    }
    for (Delivery& delivery : effects.deliveries) deliveries_.push_back(std::move(delivery));
    for (Notice& notice : output.notices) notices_.push_back(std::move(notice));
    if (effects.connect) connects_.push_back(effects.connect->delay_ms);
    if (effects.drop_stream) dropped_ = effects.drop_stream;
    if (effects.stop) stop_ = effects.stop;
    if (!effects.saves.empty() && !hold_saves_) SaveAll();
  }

  Output all_;
  uint64_t saved_to_ = 0;
};

}  // namespace proffer::sdk
