// Resources of one agent, offered to this framework until it answers.
//
// An Offer is answered when it is destroyed: with the tasks that were launched on it, what is left
// being declined, or else with a refusal of the whole. So an offer cannot be forgotten; to hold one
// on purpose, move it out of the batch. An offer that is held for 60 s is declined all the same.
//
//   void OnOffers(proffer::Offers offers) override {
//     for (proffer::Offer& offer : offers)
//       while (!todo.empty() && offer.Launch(todo.back()).ok()) todo.pop_back();
//   }
//
// THREAD: one at a time, any thread. May outlive the driver; it is void then.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proffer/constraints.h"
#include "proffer/quantity.h"
#include "proffer/resources.h"
#include "proffer/task.h"

namespace proffer {

// Why an offer was not used; people see it in `proffer why`.
enum class DeclineReason {
  kUnspecified = 0,
  kNothingToRun = 1,
  kNotEnoughCpus = 2,
  kNotEnoughMem = 3,
  kNotEnoughDisk = 4,
  kNotEnoughGpus = 5,
  kNotEnoughPorts = 6,
  kNotEnoughOther = 7,
  kConstraint = 8,
  kBackingOff = 9,
};

class Offer {
 public:
  struct State;  // Of the SDK.
  explicit Offer(std::unique_ptr<State> state);
  Offer(Offer&&) noexcept;
  Offer& operator=(Offer&&) noexcept;  // Answers the one it replaces.
  ~Offer();

  const std::string& id() const;
  const std::string& role() const;
  const std::string& agent_id() const;
  const std::string& hostname() const;
  const AgentFacts& facts() const;  // Attributes, region, zone.
  // What is left after what was taken.
  const Resources& resources() const;

  // Takes that much out. RESOURCE_EXHAUSTED, naming the kind that is short, takes nothing.
  absl::StatusOr<Resources> Take(const Quantities& amounts);
  // Launches a task on what was taken for it, whatever amounts the task names itself.
  // INVALID_ARGUMENT: the task is wrong; nothing happens.
  absl::Status Launch(const Task& task, Resources resources);
  // Takes what the task wants and launches it. RESOURCE_EXHAUSTED: it does not fit;
  // FAILED_PRECONDITION: a constraint does not hold here, or another role; INVALID_ARGUMENT: the
  // task is wrong. Nothing happens then.
  absl::Status Launch(const Task& task);

  // For what is left, or the whole if nothing is launched: not to be offered again for so long
  // (default 5 s, at most 1 h), and why.
  void Refuse(std::chrono::milliseconds refuse, DeclineReason reason = DeclineReason::kUnspecified);

  // Answers now. The offer is empty afterwards.
  void Answer();

 private:
  std::unique_ptr<State> state_;
};

using Offers = std::vector<Offer>;

}  // namespace proffer
