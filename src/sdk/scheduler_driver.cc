// The driver of frameworks that see offers.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "proffer/scheduler.h"
#include "sdk/begin.h"
#include "sdk/offer_state.h"
#include "sdk/translate.h"

namespace proffer {

struct SchedulerDriver::Inside final : sdk::Receiver {
  FrameworkOptions options;
  Scheduler* scheduler = nullptr;
  const std::shared_ptr<sdk::DriverGate> gate = std::make_shared<sdk::DriverGate>();
  std::unique_ptr<sdk::Driver> driver;

  void Log(const std::string& line) const {
    if (options.log) options.log(line);
  }

  void Take(const sdk::Delivery& delivery) override {
    std::visit([this](const auto& what) { Tell(what); }, delivery);
  }
  void Take(const sdk::Notice&) override {}  // Of queues; there is none.
  void Take(const sdk::Stop& stop) override {
    const Stopped stopped = sdk::ToPublic(stop);
    if (!stopped.ok()) Log(absl::StrCat("stopped: ", stopped.message));
    scheduler->OnStopped(stopped);
  }

  void Tell(const sdk::Ready& ready) {
    const model::Subscribed& subscribed = ready.subscribed;
    Log(absl::StrCat("subscribed as ", subscribed.framework.value()));
    scheduler->OnConnected(
        {subscribed.framework.value(), subscribed.cluster_id, subscribed.version.ToString()});
  }
  void Tell(const sdk::Disconnected& disconnected) {
    Log(absl::StrCat(disconnected.reason, "; trying again"));
    scheduler->OnDisconnected(disconnected.reason);
  }
  void Tell(const sdk::OffersCame& came) {
    Offers offers;
    for (const model::Offer& offer : came.offers) {
      auto state = std::make_unique<Offer::State>();
      state->id = offer.id.ToString();
      state->agent_id = offer.agent.value();
      state->offer = offer;
      state->left = offer.resources;
      state->gate = gate;
      offers.emplace_back(std::move(state));
    }
    scheduler->OnOffers(std::move(offers));
  }
  void Tell(const sdk::OffersVoid& gone) {
    std::vector<std::string> ids;
    for (const model::OfferId& id : gone.offers) ids.push_back(id.ToString());
    scheduler->OnOffersVoid(ids, gone.reason);
  }
  void Tell(const sdk::Update& update) {
    gate->Telling(&update);
    scheduler->OnStatus(sdk::ToPublic(update));
    gate->Telling(nullptr);
  }
  void Tell(const sdk::CallDone& done) { scheduler->OnAnswer(sdk::ToPublic(done)); }
  void Tell(const model::AgentChanged& changed) {
    scheduler->OnAgentChanged(changed.agent.value(), static_cast<AgentChange>(changed.change));
  }
  void Tell(const sdk::Reconciled&) { scheduler->OnReconciled(); }

  // Posts a request under a fresh number.
  template <typename Asked>
  uint64_t Ask(Asked asked) {
    asked.request = driver->NextRequest();
    const uint64_t request = asked.request;
    driver->Post(sdk::Event(std::move(asked)));
    return request;
  }
};

absl::StatusOr<std::unique_ptr<SchedulerDriver>> SchedulerDriver::Start(FrameworkOptions options,
                                                                        Scheduler* scheduler) {
  ASSIGN_OR_RETURN(std::shared_ptr<LeaderFinder> leader, sdk::FindLeader(options));
  auto inside = std::make_unique<Inside>();
  inside->options = std::move(options);
  inside->scheduler = scheduler;
  ASSIGN_OR_RETURN(inside->driver,
                   sdk::MakeDriver(inside->options, std::nullopt, std::move(leader), inside.get()));
  inside->gate->Open(inside->driver.get());
  std::unique_ptr<SchedulerDriver> driver(new SchedulerDriver(std::move(inside)));
  scheduler->driver_ = driver.get();
  driver->inside_->driver->Begin();
  return driver;
}

SchedulerDriver::SchedulerDriver(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

SchedulerDriver::~SchedulerDriver() {
  Stop();
  Wait();
  inside_->gate->Close();
}

uint64_t SchedulerDriver::Kill(const std::string& task_id,
                               std::optional<std::chrono::milliseconds> grace) {
  model::Kill kill{model::TaskId(task_id), {}, std::nullopt};
  if (grace) kill.grace_ms = grace->count();
  return inside_->Ask(sdk::KillAsked{0, std::move(kill)});
}

uint64_t SchedulerDriver::Suppress(const std::vector<std::string>& roles) {
  return inside_->Ask(sdk::SuppressAsked{0, roles});
}

uint64_t SchedulerDriver::Revive(const std::vector<std::string>& roles) {
  return inside_->Ask(sdk::ReviveAsked{0, roles});
}

uint64_t SchedulerDriver::SetDemand(const std::vector<Demand>& demands) {
  model::SetDemand set{true, {}};
  for (const Demand& demand : demands) {
    set.demands.push_back({demand.role.empty() ? inside_->options.roles.front() : demand.role,
                           demand.shape, demand.count, demand.constraints, demand.label});
  }
  return inside_->Ask(sdk::DemandAsked{0, std::move(set)});
}

uint64_t SchedulerDriver::ClearDemand() { return inside_->Ask(sdk::DemandAsked{0, {}}); }

uint64_t SchedulerDriver::Reconcile(const std::vector<std::string>& task_ids) {
  sdk::ReconcileAsked asked;
  for (const std::string& id : task_ids) asked.tasks.push_back({model::TaskId(id), {}});
  return inside_->Ask(std::move(asked));
}

uint64_t SchedulerDriver::UpdateRoles(const std::vector<std::string>& roles) {
  return inside_->Ask(
      sdk::FrameworkUpdateAsked{0, roles, inside_->options.failover_timeout.count()});
}

void SchedulerDriver::Stop() { inside_->driver->Post(sdk::Event(sdk::LeaveAsked{})); }

void SchedulerDriver::Teardown() { inside_->driver->Post(sdk::Event(sdk::TeardownAsked{})); }

Stopped SchedulerDriver::Wait() { return sdk::ToPublic(inside_->driver->Wait()); }

}  // namespace proffer
