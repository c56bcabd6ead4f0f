// Offers that answer themselves when they are let go.
#include "proffer/offer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "sdk/offer_state.h"
#include "sdk/translate.h"

namespace proffer {

Offer::Offer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Offer::Offer(Offer&&) noexcept = default;
Offer& Offer::operator=(Offer&& other) noexcept {
  if (this == &other) return *this;
  Answer();
  state_ = std::move(other.state_);
  return *this;
}
Offer::~Offer() { Answer(); }

const std::string& Offer::id() const { return state_->id; }
const std::string& Offer::role() const { return state_->offer.role; }
const std::string& Offer::agent_id() const { return state_->agent_id; }
const std::string& Offer::hostname() const { return state_->offer.facts.hostname; }
const AgentFacts& Offer::facts() const { return state_->offer.facts; }
const Resources& Offer::resources() const { return state_->left; }

absl::StatusOr<Resources> Offer::Take(const Quantities& amounts) {
  if (state_->answered) return absl::ResourceExhaustedError("the offer was answered already");
  ASSIGN_OR_RETURN(Resources taken, state_->left.Pick(amounts));
  RETURN_IF_ERROR(state_->left.Subtract(taken));
  return taken;
}

absl::Status Offer::Launch(const Task& task, Resources resources) {
  RETURN_IF_ERROR(task.status());
  RETURN_IF_ERROR(model::ValidateId("the task id", task.id()));
  if (task.args().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("task \"", task.name(), "\" has nothing to run; give it a Command or Args"));
  }
  if (resources.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "task \"", task.name(), "\" wants no resources; say how many cpus and how much mem"));
  }
  if (state_->answered) {
    return absl::FailedPreconditionError("the offer was answered already; wait for another");
  }
  state_->launches.push_back(sdk::ToSpec(task, std::move(resources)));
  return absl::OkStatus();
}

absl::Status Offer::Launch(const Task& task) {
  RETURN_IF_ERROR(task.status());
  if (!task.role().empty() && task.role() != role()) {
    return absl::FailedPreconditionError(absl::StrCat("task \"", task.name(), "\" has the role \"",
                                                      task.role(), "\", the offer \"", role(),
                                                      "\""));
  }
  for (const Constraint& constraint : task.constraints()) {
    if (constraint.Holds(facts())) continue;
    return absl::FailedPreconditionError(absl::StrCat("task \"", task.name(), "\" requires ",
                                                      constraint.ToString(),
                                                      ", which does not hold on ", hostname()));
  }
  const Resources before = state_->left;
  ASSIGN_OR_RETURN(Resources taken, Take(task.amounts()));
  absl::Status status = Launch(task, std::move(taken));
  if (!status.ok()) state_->left = before;
  return status;
}

void Offer::Refuse(std::chrono::milliseconds refuse, DeclineReason reason) {
  state_->refuse_ms = refuse.count();
  state_->reason = reason;
}

void Offer::Answer() {
  if (state_ == nullptr || state_->answered) return;
  state_->answered = true;
  state_->left = Resources();
  if (state_->launches.empty()) {
    state_->gate->Post(
        sdk::Event(sdk::DeclineAsked{0,
                                     {{state_->offer.id},
                                      state_->refuse_ms,
                                      static_cast<model::DeclineReason>(state_->reason)}}));
    return;
  }
  state_->gate->Post(sdk::Event(sdk::AcceptAsked{
      0, {{state_->offer.id}, std::exchange(state_->launches, {}), state_->refuse_ms}}));
}

}  // namespace proffer
