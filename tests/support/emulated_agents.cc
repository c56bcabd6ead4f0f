#include "support/emulated_agents.h"

#include <glog/logging.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/limits.h"

namespace proffer::testing {
namespace {

constexpr size_t kThreads = 4;
constexpr useconds_t kBetweenTurnsUs = 2'000;

}  // namespace

class EmulatedAgents::One {
 public:
  One(EmulatedAgents* all, int number, const std::string& masters, const Resources& resources)
      : all_(all),
        number_(number),
        leader_(*LeaderFinder::Make(masters)),
        mailbox_(limits::kMailboxEvents),
        link_(std::make_unique<agent::MasterLink>(leader_.get(), &mailbox_)),
        core_(ConfigOf(number, resources), {}) {
    agent::Effects effects;
    core_.Start(BootTimeNow(), &effects);
    CarryOut(effects);
  }

  ~One() {
    mailbox_.Close();
    link_.reset();
  }

  void Turn() {
    const Time now = BootTimeNow();
    if (mailbox_.size() == 0 && now < std::min(core_.NextDeadline(), connect_at_)) return;
    std::vector<agent::Mail> mail;
    mailbox_.TakeAll(0, &mail);
    for (const agent::Mail& item : mail) Step(now, std::get<agent::Event>(item));
    agent::Effects ticked;
    core_.Tick(now, &ticked);
    CarryOut(ticked);
    const uint64_t epoch = core_.registered() ? core_.identity().highest_epoch : 0;
    if (std::exchange(told_, epoch) != epoch) all_->Registered(number_, epoch);
    if (now < connect_at_) return;
    connect_at_ = Time::Never();
    link_->Connect(greeting_ms_);
  }

 private:
  static agent::Config ConfigOf(int number, const Resources& resources) {
    agent::Config config;
    config.info.facts.hostname = absl::StrCat("e", number);
    config.info.resources = resources;
    config.boot_id = "emulated";
    config.seed = static_cast<uint64_t>(number) + 1;
    return config;
  }

  void Step(Time now, const agent::Event& event) {
    if (std::holds_alternative<agent::LinkUp>(event)) connect_at_ = Time::Never();
    agent::Effects effects;
    core_.Step(now, event, &effects);
    CarryOut(effects);
  }

  // In the order of effects.h; every record is durable at once.
  void CarryOut(const agent::Effects& effects) {
    for (const agent::CommandContainer& command : effects.commands) {
      if (const auto* launch = std::get_if<agent::LaunchContainer>(&command.command)) {
        mailbox_.PushUrgent(agent::Event(agent::ContainerStarted{launch->launch->attempt, 1}));
      } else if (const auto* kill = std::get_if<agent::KillContainer>(&command.command)) {
        agent::ContainerEnded end;
        end.attempt = kill->attempt;
        end.cause = agent::EndCause::kKilled;
        end.signal = 9;
        mailbox_.PushUrgent(agent::Event(end));
      }
    }
    for (const agent::SendMessage& message : effects.messages) {
      link_->Send(message.link, message.message);
    }
    if (effects.drop_link) link_->Drop(effects.drop_link->link);
    if (effects.connect) {
      connect_at_ = BootTimeNow() + effects.connect->delay_ms;
      greeting_ms_ = effects.connect->greeting_ms;
    }
    CHECK(!effects.stop) << effects.stop->message;
  }

  EmulatedAgents* const all_;
  const int number_;
  const std::unique_ptr<LeaderFinder> leader_;
  agent::AgentMailbox mailbox_;
  std::unique_ptr<agent::MasterLink> link_;
  agent::Core core_;
  Time connect_at_ = Time::Never();
  int64_t greeting_ms_ = 0;
  uint64_t told_ = 0;
};

EmulatedAgents::EmulatedAgents(int count, const std::string& masters,
                               const std::string& resources) {
  epochs_.resize(static_cast<size_t>(count));
  const absl::StatusOr<Resources> parsed = Resources::Parse(resources);
  CHECK(parsed.ok()) << parsed.status();
  for (int i = 0; i < count; ++i) {
    agents_.push_back(std::make_unique<One>(this, i, masters, *parsed));
  }
  for (size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this, i] { TakeTurns(i); });
}

EmulatedAgents::~EmulatedAgents() {
  ending_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void EmulatedAgents::TakeTurns(size_t first) {
  while (!ending_) {
    for (size_t i = first; i < agents_.size(); i += kThreads) agents_[i]->Turn();
    usleep(kBetweenTurnsUs);
  }
}

void EmulatedAgents::Registered(int number, uint64_t epoch) {
  MutexLock lock(&mutex_);
  epochs_[static_cast<size_t>(number)] = epoch;
  changed_.SignalAll();
}

bool EmulatedAgents::AwaitRegistered(uint64_t epoch, int64_t patience_ms) {
  const Time give_up = BootTimeNow() + patience_ms;
  MutexLock lock(&mutex_);
  while (
      std::any_of(epochs_.begin(), epochs_.end(), [epoch](uint64_t one) { return one < epoch; })) {
    const int64_t left_ms = give_up - BootTimeNow();
    if (left_ms <= 0) return false;
    changed_.WaitFor(&mutex_, left_ms);
  }
  return true;
}

}  // namespace proffer::testing
