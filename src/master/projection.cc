#include "master/projection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/model/version.h"
#include "master/view_proto.h"

namespace proffer::master {
namespace {

constexpr int kPageDefault = 1'000;
constexpr int kPageMost = 10'000;

void AddAmounts(const google::protobuf::RepeatedPtrField<v1::Resource>& resources, int sign,
                google::protobuf::Map<std::string, int64_t>* sum) {
  for (const v1::Resource& resource : resources) {
    int64_t count = resource.scalar();
    for (const v1::Range& range : resource.ranges().ranges()) {
      count += static_cast<int64_t>(range.last() - range.first() + 1);
    }
    count += resource.set().items_size();
    (*sum)[resource.name()] += sign * count;
  }
}

bool IsLive(const v1::TaskView& task) {
  return task.state() == v1::STAGING || task.state() == v1::STARTING ||
         task.state() == v1::RUNNING || task.state() == v1::KILLING ||
         task.state() == v1::UNREACHABLE;
}

bool Wanted(const v1::ListRequest& request, const v1::Object& object) {
  if (object.has_task()) {
    if (request.live_only() && !IsLive(object.task())) return false;
    return request.framework_id().empty() || object.task().framework_id() == request.framework_id();
  }
  if (object.has_offer()) {
    return request.framework_id().empty() ||
           object.offer().framework_id() == request.framework_id();
  }
  return true;
}

// What people may call an object by.
std::vector<std::string> NamesOf(const v1::Object& object) {
  if (object.has_framework()) {
    return {object.framework().framework_id(), object.framework().name()};
  }
  if (object.has_task()) {
    return {object.task().task_id(), object.task().name(),
            absl::StrCat(object.task().framework_id(), "/", object.task().task_id())};
  }
  if (object.has_agent()) return {object.agent().agent_id(), object.agent().hostname()};
  return {IdOf(object)};
}

}  // namespace

Projection::Projection(std::string cluster_id, uint64_t epoch, int64_t started_unix_ms)
    : cluster_id_(std::move(cluster_id)), epoch_(epoch), started_unix_ms_(started_unix_ms) {}

void Projection::Apply(const std::vector<Delta>& deltas, int64_t unix_ms) {
  std::vector<std::pair<ObjectPointer, bool>> objects;
  objects.reserve(deltas.size());
  for (const Delta& delta : deltas) {
    objects.emplace_back(std::make_shared<const v1::Object>(ToObject(delta.view)), delta.removed);
  }
  std::vector<std::function<void()>> wakes;
  {
    MutexLock lock(&mutex_);
    for (auto& [object, removed] : objects) Put(std::move(object), removed, unix_ms);
    for (const auto& [id, wake] : watchers_) wakes.push_back(wake);
  }
  for (const auto& wake : wakes) wake();
}

void Projection::Put(ObjectPointer object, bool removed, int64_t unix_ms) {
  const int kind = KindOf(*object);
  const std::string id = IdOf(*object);
  Table& table = tables_[kind];
  auto it = table.find(id);
  if (it != table.end()) Count(*it->second, -1);
  if (observe_) observe_(it == table.end() ? nullptr : it->second.get(), *object, removed);
  if (removed) {
    if (it != table.end()) table.erase(it);
    if (object->has_task()) KeepEnded(object);
    if (object->has_framework()) {
      removed_frameworks_.push_back(id);
      if (removed_frameworks_.size() > static_cast<size_t>(limits::kEndedFrameworks)) {
        ended_.erase(removed_frameworks_.front());
        removed_frameworks_.pop_front();
      }
    }
  } else {
    Count(*object, +1);
    table[id] = object;
  }
  auto change = std::make_shared<v1::Change>();
  change->mutable_revision()->set_epoch(epoch_);
  change->mutable_revision()->set_sequence(++sequence_);
  *change->mutable_object() = *object;
  change->set_removed(removed);
  change->set_time_unix_ms(unix_ms);
  ring_bytes_ += change->ByteSizeLong();
  ring_.push_back(std::move(change));
  while (ring_.size() > limits::kWatchRingDeltas || ring_bytes_ > limits::kWatchRingBytes) {
    ring_bytes_ -= ring_.front()->ByteSizeLong();
    ring_.pop_front();
  }
}

void Projection::KeepEnded(const ObjectPointer& object) {
  counts_.set_tasks_ended(counts_.tasks_ended() + 1);
  std::deque<ObjectPointer>& ended = ended_[object->task().framework_id()];
  ended.push_back(object);
  if (ended.size() > static_cast<size_t>(limits::kEndedTasksPerFramework)) ended.pop_front();
}

void Projection::Count(const v1::Object& object, int sign) {
  if (object.has_agent()) {
    const v1::AgentView& agent = object.agent();
    switch (agent.state()) {
      case v1::CONNECTED:
        counts_.set_agents_connected(counts_.agents_connected() + sign);
        AddAmounts(agent.total(), sign, counts_.mutable_total());
        AddAmounts(agent.used(), sign, counts_.mutable_used());
        AddAmounts(agent.offered(), sign, counts_.mutable_offered());
        break;
      case v1::AGENT_UNREACHABLE_STATE:
        counts_.set_agents_unreachable(counts_.agents_unreachable() + sign);
        break;
      case v1::AGENT_GONE_STATE:
        break;
      default:
        counts_.set_agents_disconnected(counts_.agents_disconnected() + sign);
    }
  } else if (object.has_framework()) {
    if (object.framework().connected()) {
      counts_.set_frameworks_connected(counts_.frameworks_connected() + sign);
    } else {
      counts_.set_frameworks_disconnected(counts_.frameworks_disconnected() + sign);
    }
  } else if (object.has_task()) {
    const v1::TaskState state = object.task().state();
    if (state == v1::STAGING || state == v1::STARTING) {
      counts_.set_tasks_staging(counts_.tasks_staging() + sign);
    } else if (state == v1::RUNNING || state == v1::KILLING) {
      counts_.set_tasks_running(counts_.tasks_running() + sign);
    }
  } else if (object.has_offer()) {
    counts_.set_offers(counts_.offers() + sign);
  }
}

void Projection::SetObserver(Observer observe) {
  MutexLock lock(&mutex_);
  observe_ = std::move(observe);
}

void Projection::SetLongestTurn(int64_t ms) {
  MutexLock lock(&mutex_);
  counts_.set_longest_turn_ms(ms);
}

v1::Cluster Projection::GetCluster() const {
  MutexLock lock(&mutex_);
  v1::Cluster out = counts_;
  out.set_cluster_id(cluster_id_);
  const model::Version version = model::ThisVersion();
  out.mutable_version()->set_major(version.major);
  out.mutable_version()->set_minor(version.minor);
  out.mutable_version()->set_patch(version.patch);
  out.mutable_revision()->set_epoch(epoch_);
  out.mutable_revision()->set_sequence(sequence_);
  out.set_started_unix_ms(started_unix_ms_);
  return out;
}

absl::StatusOr<v1::ListResponse> Projection::List(const v1::ListRequest& request) const {
  if (request.kind() < v1::AGENTS || request.kind() > v1::ROLES) {
    return absl::InvalidArgumentError("kind must be AGENTS, FRAMEWORKS, TASKS, OFFERS or ROLES");
  }
  if (request.page_size() < 0) {
    return absl::InvalidArgumentError("page_size is negative; expected 0 to 10000");
  }
  const size_t page =
      std::min(request.page_size() == 0 ? kPageDefault : request.page_size(), kPageMost);
  // A token is "<id of the last object>", with a mark of ours in front.
  std::string after = request.page_token();
  if (!after.empty()) {
    if (!absl::StartsWith(after, "after:")) {
      return absl::InvalidArgumentError("page_token was not made by this master; begin anew");
    }
    after = after.substr(6);
  }
  v1::ListResponse out;
  MutexLock lock(&mutex_);
  out.mutable_revision()->set_epoch(epoch_);
  out.mutable_revision()->set_sequence(sequence_);
  Table merged;
  const Table* table = nullptr;
  if (auto it = tables_.find(request.kind()); it != tables_.end()) table = &it->second;
  if (request.kind() == v1::TASKS && !request.live_only()) {
    if (table != nullptr) merged = *table;
    for (const auto& [framework, ended] : ended_) {
      for (const ObjectPointer& object : ended) merged[IdOf(*object)] = object;
    }
    table = &merged;
  }
  if (table == nullptr) return out;
  for (auto it = table->upper_bound(after); it != table->end(); ++it) {
    if (!Wanted(request, *it->second)) continue;
    if (static_cast<size_t>(out.objects_size()) == page) {
      out.set_next_page_token(absl::StrCat("after:", IdOf(out.objects(out.objects_size() - 1))));
      break;
    }
    *out.add_objects() = *it->second;
  }
  return out;
}

ObjectPointer Projection::Find(v1::Kind kind, const std::string& id) const {
  MutexLock lock(&mutex_);
  auto table = tables_.find(kind);
  if (table == tables_.end()) return nullptr;
  auto it = table->second.find(id);
  return it == table->second.end() ? nullptr : it->second;
}

ObjectPointer Projection::FindTask(const std::string& framework_id,
                                   const std::string& task_id) const {
  MutexLock lock(&mutex_);
  if (auto table = tables_.find(v1::TASKS); table != tables_.end()) {
    const std::string prefix = absl::StrCat(framework_id, "/", task_id, "/");
    auto it = table->second.lower_bound(absl::StrCat(prefix, "~"));
    if (it != table->second.begin() && absl::StartsWith((--it)->first, prefix)) return it->second;
  }
  if (auto ended = ended_.find(framework_id); ended != ended_.end()) {
    for (auto it = ended->second.rbegin(); it != ended->second.rend(); ++it) {
      if ((*it)->task().task_id() == task_id) return *it;
    }
  }
  return nullptr;
}

std::vector<ObjectPointer> Projection::Match(v1::Kind kind, const std::string& subject) const {
  std::vector<ObjectPointer> exact;
  std::vector<ObjectPointer> prefix;
  const auto look = [&](const ObjectPointer& object) {
    const std::vector<std::string> names = NamesOf(*object);
    if (std::find(names.begin(), names.end(), subject) != names.end()) {
      exact.push_back(object);
    } else if (std::any_of(names.begin(), names.end(), [&](const std::string& name) {
                 return absl::StartsWith(name, subject);
               })) {
      prefix.push_back(object);
    }
  };
  MutexLock lock(&mutex_);
  if (auto table = tables_.find(kind); table != tables_.end()) {
    for (const auto& [id, object] : table->second) look(object);
  }
  if (kind == v1::TASKS) {
    for (const auto& [framework, ended] : ended_) {
      for (const ObjectPointer& object : ended) look(object);
    }
  }
  return exact.empty() ? prefix : exact;
}

std::vector<ObjectPointer> Projection::Snapshot(const std::set<int>& kinds,
                                                uint64_t* sequence) const {
  MutexLock lock(&mutex_);
  std::vector<ObjectPointer> objects;
  for (const auto& [kind, table] : tables_) {
    if (!kinds.empty() && kinds.count(kind) == 0) continue;
    for (const auto& [id, object] : table) objects.push_back(object);
  }
  *sequence = sequence_;
  return objects;
}

absl::StatusOr<std::vector<ChangePointer>> Projection::ChangesAfter(uint64_t sequence,
                                                                    size_t limit) const {
  MutexLock lock(&mutex_);
  std::vector<ChangePointer> changes;
  if (sequence >= sequence_) return changes;
  const uint64_t first = sequence_ - ring_.size() + 1;  // Of the ring.
  if (sequence + 1 < first) {
    return absl::OutOfRangeError("that revision has left the ring; begin with a snapshot");
  }
  for (size_t i = sequence + 1 - first; i < ring_.size() && changes.size() < limit; ++i) {
    changes.push_back(ring_[i]);
  }
  return changes;
}

uint64_t Projection::sequence() const {
  MutexLock lock(&mutex_);
  return sequence_;
}

uint64_t Projection::AddWatcher(std::function<void()> wake) {
  MutexLock lock(&mutex_);
  watchers_[++last_watcher_] = std::move(wake);
  return last_watcher_;
}

void Projection::RemoveWatcher(uint64_t id) {
  MutexLock lock(&mutex_);
  watchers_.erase(id);
}

}  // namespace proffer::master
