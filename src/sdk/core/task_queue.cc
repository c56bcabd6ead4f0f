// The queue: what is placed where, and what becomes of it.
#include "sdk/core/task_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"

namespace proffer::sdk {
namespace {

// A task that is launched again gets a new task id, so that an answer about an id is never about
// another launch.
constexpr char kLaunchSuffix[] = ".r";
constexpr size_t kSuffixBytes = 12;

model::TaskId LaunchId(const model::TaskId& id, int launch) {
  if (launch <= 1) return id;
  return model::TaskId(absl::StrCat(id.value(), kLaunchSuffix, launch));
}

// The reverse: the id that was submitted, and the number of the launch.
std::pair<model::TaskId, int> SplitLaunchId(const model::TaskId& launch) {
  const std::string& text = launch.value();
  const size_t dot = text.rfind(kLaunchSuffix);
  int number = 0;
  if (dot == std::string::npos || dot == 0 || !absl::SimpleAtoi(text.substr(dot + 2), &number) ||
      number < 2) {
    return {launch, 1};
  }
  return {model::TaskId(text.substr(0, dot)), number};
}

bool SameDemands(const std::vector<model::Demand>& a, const std::vector<model::Demand>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const model::Demand& x, const model::Demand& y) {
                      return x.role == y.role && x.shape == y.shape && x.count == y.count &&
                             x.constraints == y.constraints && x.label == y.label;
                    });
}

model::DeclineReason ReasonOf(const std::string& kind) {
  if (kind == kCpus) return model::DeclineReason::kNotEnoughCpus;
  if (kind == kMem) return model::DeclineReason::kNotEnoughMem;
  if (kind == kDisk) return model::DeclineReason::kNotEnoughDisk;
  if (kind == kGpus) return model::DeclineReason::kNotEnoughGpus;
  if (kind == kPorts) return model::DeclineReason::kNotEnoughPorts;
  return model::DeclineReason::kNotEnoughOther;
}

}  // namespace

TaskQueue::TaskQueue(Options options, const SavedState& saved) : options_(std::move(options)) {
  for (const Intent& intent : saved.intents) {
    unclaimed_[SplitLaunchId(intent.task).first] = intent.task;
  }
}

// --- In and out ---

absl::Status TaskQueue::Submit(Time now, uint64_t handle, QueuedTask task, Output* output) {
  if (absl::Status s = model::ValidateId("the task id", task.id.value()); !s.ok()) return s;
  if (task.id.value().size() + kSuffixBytes > limits::kIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the task id has ", task.id.value().size(), " characters; at most ",
                     limits::kIdBytes - kSuffixBytes, " leave room for repeated launches"));
  }
  if (SplitLaunchId(task.id).second != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("the task id \"", task.id.value(),
                     "\" ends like that of a repeated launch (.r and a number); use another"));
  }
  if (task.role.empty() && !options_.roles.empty()) task.role = options_.roles.front();
  if (std::find(options_.roles.begin(), options_.roles.end(), task.role) == options_.roles.end()) {
    return absl::InvalidArgumentError(absl::StrCat("task \"", task.id.value(), "\" has the role \"",
                                                   task.role,
                                                   "\", which is none of its framework's"));
  }
  if (task.shape.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "task \"", task.id.value(), "\" wants no resources; say how many cpus and how much mem"));
  }
  if (by_task_.count(task.id) > 0) {
    return absl::AlreadyExistsError(
        absl::StrCat("a task \"", task.id.value(), "\" is in the queue already; use another id"));
  }
  Entry& entry = tasks_[handle];
  entry.handle = handle;
  entry.group =
      absl::StrCat(task.role, " ", task.shape.ToString(), " ", PrintConstraints(task.constraints));
  entry.task = std::move(task);
  entry.launch = entry.task.id;
  if (auto ended = unclaimed_ends_.extract(entry.task.id)) {
    UnclaimedEnd& end = ended.mapped();
    entry.launch = end.status.task;
    entry.launches = SplitLaunchId(entry.launch).second;
    by_task_[entry.task.id] = handle;
    REACHED("a task of a former life is claimed that has ended");
    End(&entry, std::move(end.status), end.update, output);
    return absl::OkStatus();
  }
  if (auto lives = unclaimed_.extract(entry.task.id)) {
    REACHED("a task of a former life is claimed");
    entry.launch = lives.mapped();
    entry.launches = SplitLaunchId(entry.launch).second;
    entry.placed = true;
  } else {
    Enqueue(&entry);
  }
  by_task_[entry.task.id] = handle;
  Declare(output);
  return absl::OkStatus();
}

void TaskQueue::Enqueue(Entry* entry) {
  Group& group = groups_[entry->group];
  group.role = entry->task.role;
  group.shape = entry->task.shape;
  group.constraints = entry->task.constraints;
  group.waiting.insert(entry->handle);
  ++waiting_;
}

void TaskQueue::Dequeue(Entry* entry) {
  auto group = groups_.find(entry->group);
  group->second.waiting.erase(entry->handle);
  if (group->second.waiting.empty()) groups_.erase(group);
  --waiting_;
}

void TaskQueue::Kill(Time now, uint64_t handle, std::optional<int64_t> grace_ms, Output* output) {
  auto it = tasks_.find(handle);
  if (it == tasks_.end()) return;
  Entry& entry = it->second;
  entry.kill_wanted = true;
  if (entry.placed) {
    output->events.push_back(KillAsked{0, {entry.launch, {}, grace_ms}});
    return;
  }
  REACHED("a task is killed before it is placed");
  if (entry.rests_until.IsNever()) {
    Dequeue(&entry);
  } else {
    resting_.erase({entry.rests_until, handle});
  }
  model::TaskStatus status;
  status.task = entry.launch;
  status.state = model::TaskState::kKilled;
  status.reason = model::TaskReason::kKillRequested;
  status.message = "killed before it was placed";
  End(&entry, std::move(status), 0, output);
  Declare(output);
}

void TaskQueue::End(Entry* entry, model::TaskStatus status, uint64_t update, Output* output) {
  TaskDone done;
  done.result = {entry->handle, std::move(status), entry->hostname, entry->launches};
  done.update = update;
  by_task_.erase(entry->task.id);
  tasks_.erase(entry->handle);
  output->notices.push_back(std::move(done));
}

// --- Deliveries ---

void TaskQueue::Take(Time now, const Delivery& delivery, Output* output) {
  if (const auto* offers = std::get_if<OffersCame>(&delivery)) {
    for (const model::Offer& offer : offers->offers) {
      if (!MAYBE("leave an offer unanswered")) Place(now, offer, output);
    }
    Declare(output);
  } else if (std::holds_alternative<OffersVoid>(delivery)) {
    Correct();
    Declare(output);
  } else if (const auto* update = std::get_if<Update>(&delivery)) {
    TakeUpdate(now, *update, output);
  } else if (const auto* done = std::get_if<CallDone>(&delivery)) {
    TakeAnswer(now, *done, output);
  }
}

void TaskQueue::TakeAnswer(Time now, const CallDone& done, Output* output) {
  if (done.request == saying_) {
    // Sent, or remembered by the core for its next stream.
    saying_ = 0;
    Declare(output);
    return;
  }
  // Of an accept: other refusals come with a status.
  for (const model::CallResult::Item& item : done.items) {
    if (item.outcome.refusal != model::Refusal::kDuplicateTask) continue;
    const model::TaskId launch(item.id);
    auto found = by_task_.find(SplitLaunchId(launch).first);
    if (found == by_task_.end()) continue;
    Entry& entry = tasks_.at(found->second);
    if (entry.placed && entry.launch == launch && !entry.evidence) {
      Retry(now, &entry, /*offer_was_stale=*/false, output);
    }
  }
}

void TaskQueue::Place(Time now, const model::Offer& offer, Output* output) {
  AcceptAsked accept;
  accept.accept.offers = {offer.id};
  Resources left = offer.resources;
  std::set<std::string> too_large;  // Groups of which no further task fits.
  while (accept.accept.tasks.size() < static_cast<size_t>(limits::kTasksPerAccept)) {
    if (!accept.accept.tasks.empty() && MAYBE("launch one task of an offer")) break;
    // The oldest task of those that may go here.
    Entry* next = nullptr;
    for (auto& [key, group] : groups_) {
      if (group.role != offer.role || too_large.count(key) > 0) continue;
      if (!AllHold(group.constraints, offer.facts)) continue;
      const uint64_t oldest = *group.waiting.begin();
      if (next == nullptr || oldest < next->handle) next = &tasks_.at(oldest);
    }
    if (next == nullptr) break;
    absl::StatusOr<Resources> picked = left.Pick(next->task.shape);
    if (!picked.ok()) {
      too_large.insert(next->group);
      continue;
    }
    left.Subtract(*picked).IgnoreError();  // Was just chosen from it.
    Dequeue(next);
    next->placed = true;
    next->evidence = false;
    next->launch = LaunchId(next->task.id, ++next->launches);
    next->hostname = offer.facts.hostname;
    model::TaskSpec spec;
    spec.id = next->launch;
    spec.name = next->task.name.empty() ? next->task.id.value() : next->task.name;
    spec.resources = *std::move(picked);
    spec.payload = next->task.payload;
    spec.kill_grace_ms = next->task.kill_grace_ms;
    spec.max_run_time_ms = next->task.max_run_time_ms;
    spec.stop_after_disconnect_ms = next->task.stop_after_disconnect_ms;
    accept.accept.tasks.push_back(std::move(spec));
    output->notices.push_back(TaskPlaced{next->handle, next->launch, next->hostname});
  }
  if (accept.accept.tasks.empty()) {
    Correct();
    output->events.push_back(DeclineAsked{0, {{offer.id}, std::nullopt, WhyNot(offer)}});
  } else {
    output->events.push_back(std::move(accept));
  }
}

model::DeclineReason TaskQueue::WhyNot(const model::Offer& offer) const {
  model::DeclineReason reason =
      resting_.empty() ? model::DeclineReason::kNothingToRun : model::DeclineReason::kBackingOff;
  for (const auto& [key, group] : groups_) {
    if (group.role != offer.role) continue;
    if (!AllHold(group.constraints, offer.facts)) {
      reason = model::DeclineReason::kConstraint;
      continue;
    }
    const Quantities there = offer.resources.ToQuantities();
    for (const auto& [kind, count] : group.shape.items()) {
      if (there.Get(kind) < count) return ReasonOf(kind);
    }
    return model::DeclineReason::kNotEnoughOther;
  }
  return reason;
}

void TaskQueue::TakeUpdate(Time now, const Update& update, Output* output) {
  const auto handled = [&] { output->events.push_back(UpdateHandled{update.number}); };
  const model::TaskId id = SplitLaunchId(update.status.task).first;
  auto found = by_task_.find(id);
  if (update.duplicate || found == by_task_.end()) {
    auto unclaimed = unclaimed_.find(id);
    if (update.final && unclaimed != unclaimed_.end() && unclaimed->second == update.status.task) {
      unclaimed_.erase(unclaimed);
      unclaimed_ends_[id] = {update.status, update.number};
      claim_until_.emplace_back(now + options_.claim_within_ms, id);
      return;
    }
    handled();
    return;
  }
  Entry& entry = tasks_.at(found->second);
  // Not ours: of an earlier launch under the same id, which a former life of this scheduler asked
  // for and could not remember.
  if (!entry.placed || entry.launch != update.status.task || !update.own) {
    handled();
    return;
  }
  if (!update.final) {
    // STAGING and UNREACHABLE are the master's own words. The first it may forget in a failover;
    // the second it says of any task that was meant for an agent which it cannot reach.
    if (update.status.state != model::TaskState::kStaging &&
        update.status.state != model::TaskState::kUnreachable) {
      entry.evidence = true;
    }
    output->notices.push_back(TaskProgressed{entry.handle, update.status});
    handled();
    return;
  }
  const model::TaskState state = update.status.state;
  // Not known, and never was as far as we heard: then the launch did not arrive.
  const bool never_arrived =
      !entry.evidence && !update.status.attempt.valid() &&
      (state == model::TaskState::kUnknown || state == model::TaskState::kGone);
  const bool never_started = state == model::TaskState::kDropped || never_arrived;
  if (!never_started || entry.kill_wanted) {
    model::TaskStatus status = update.status;
    if (never_started) {
      status.state = model::TaskState::kKilled;
      status.reason = model::TaskReason::kKillRequested;
    }
    End(&entry, std::move(status), update.number, output);
    return;
  }
  if (never_arrived) REACHED("a launch never arrived and is repeated");
  if (!never_arrived) REACHED("a launch was dropped and is repeated");
  handled();
  // The agent gives the same reason for what does not fit.
  Retry(now, &entry,
        !never_arrived && update.status.reason == model::TaskReason::kInvalidOffer &&
            update.status.source != model::StatusSource::kAgent,
        output);
}

void TaskQueue::Retry(Time now, Entry* entry, bool offer_was_stale, Output* output) {
  entry->placed = false;
  if (!offer_was_stale) ++entry->setbacks;
  if (offer_was_stale || entry->setbacks < 2) {
    Enqueue(entry);
  } else {
    REACHED("a task rests before it is launched again");
    entry->rests_until = now + std::min(options_.retry_max_ms,
                                        options_.retry_min_ms << std::min(entry->setbacks - 2, 20));
    resting_.insert({entry->rests_until, entry->handle});
  }
  Declare(output);
}

// --- What is wanted ---

std::vector<model::Demand> TaskQueue::Demands() const {
  std::vector<model::Demand> demands;
  for (const auto& [key, group] : groups_) {
    const Entry& oldest = tasks_.at(*group.waiting.begin());
    demands.push_back({group.role, group.shape, static_cast<int64_t>(group.waiting.size()),
                       group.constraints,
                       oldest.task.name.empty() ? oldest.task.id.value() : oldest.task.name});
    // More shapes than may be declared: these first, the others when these are placed.
    if (demands.size() == static_cast<size_t>(limits::kDemandShapes)) break;
  }
  return demands;
}

void TaskQueue::Correct() {
  if (waiting_ > 0) ever_said_ = false;
}

void TaskQueue::Declare(Output* output) {
  if (saying_ == 0) {
    std::vector<model::Demand> demands = Demands();
    if (!ever_said_ || !SameDemands(demands, said_)) {
      ever_said_ = true;
      said_ = demands;
      saying_ = ++last_request_;
      output->events.push_back(DemandAsked{saying_, {true, std::move(demands)}});
    }
  }
  if ((waiting_ == 0) == suppressed_) return;
  suppressed_ = waiting_ == 0;
  if (suppressed_) {
    output->events.push_back(SuppressAsked{});
  } else {
    output->events.push_back(ReviveAsked{});
  }
}

void TaskQueue::Tick(Time now, Output* output) {
  for (; !claim_until_.empty() && claim_until_.front().first <= now; claim_until_.pop_front()) {
    const auto end = unclaimed_ends_.find(claim_until_.front().second);
    if (end == unclaimed_ends_.end()) continue;
    output->events.push_back(UpdateHandled{std::exchange(end->second.update, 0)});
  }
  bool revive = false;
  while (!resting_.empty() && resting_.begin()->first <= now) {
    Entry& entry = tasks_.at(resting_.begin()->second);
    resting_.erase(resting_.begin());
    entry.rests_until = Time::Never();
    Enqueue(&entry);
    revive = true;
  }
  if (!revive) return;
  // What was refused meanwhile is wanted now.
  if (!suppressed_) output->events.push_back(ReviveAsked{});
  Declare(output);
}

Time TaskQueue::NextDeadline() const {
  Time next = Time::Never();
  if (!resting_.empty()) next = resting_.begin()->first;
  if (!claim_until_.empty()) next = std::min(next, claim_until_.front().first);
  return next;
}

}  // namespace proffer::sdk
