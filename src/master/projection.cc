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
// A page ends here as well, so that it fits into a message whatever its objects carry.
constexpr size_t kPageBytes = 1 << 20;

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
    : cluster_id_(std::move(cluster_id)),
      epoch_(epoch),
      started_unix_ms_(started_unix_ms),
      waker_([this] { WakeWatchers(); }) {}

Projection::~Projection() {
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    changed_.SignalAll();
  }
  waker_.join();
}

void Projection::Apply(const std::vector<Delta>& deltas, int64_t unix_ms) {
  std::vector<std::pair<ObjectPointer, bool>> objects;
  objects.reserve(deltas.size());
  for (const Delta& delta : deltas) {
    objects.emplace_back(std::make_shared<const v1::Object>(ToObject(delta.view)), delta.removed);
  }
  MutexLock lock(&mutex_);
  for (auto& [object, removed] : objects) Put(std::move(object), removed, unix_ms);
  changed_.SignalAll();
}

void Projection::WakeWatchers() {
  uint64_t woken = 0;  // For changes up to this one.
  std::vector<std::function<void()>> wakes;
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (!ending_ && sequence_ == woken) changed_.WaitFor(&mutex_, limits::kLongestSleepMs);
      if (ending_) return;
      woken = sequence_;
      for (const auto& [id, wake] : watchers_) wakes.push_back(wake);
    }
    for (const auto& wake : wakes) wake();
    wakes.clear();
  }
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
        ForgetEnded(removed_frameworks_.front());
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
  ended_by_id_[IdOf(*object)] = object;
  if (ended.size() <= static_cast<size_t>(limits::kEndedTasksPerFramework)) return;
  ended_by_id_.erase(IdOf(*ended.front()));
  ended.pop_front();
}

void Projection::ForgetEnded(const std::string& framework_id) {
  const auto ended = ended_.find(framework_id);
  if (ended == ended_.end()) return;
  for (const ObjectPointer& object : ended->second) ended_by_id_.erase(IdOf(*object));
  ended_.erase(ended);
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
  // Only who is listed is found out with the lock held, which the core waits for; what is large is
  // copied without.
  std::vector<ObjectPointer> listed;
  {
    MutexLock lock(&mutex_);
    out.mutable_revision()->set_epoch(epoch_);
    out.mutable_revision()->set_sequence(sequence_);
    listed = Select(request, after, page + 1);
  }
  size_t bytes = 0;
  for (const ObjectPointer& object : listed) {
    bytes += object->ByteSizeLong();
    const bool full = static_cast<size_t>(out.objects_size()) == page || bytes > kPageBytes;
    if (full && out.objects_size() > 0) {
      out.set_next_page_token(absl::StrCat("after:", IdOf(out.objects(out.objects_size() - 1))));
      break;
    }
    *out.add_objects() = *object;
  }
  return out;
}

std::vector<ObjectPointer> Projection::Select(const v1::ListRequest& request,
                                              const std::string& after, size_t most) const {
  static const Table* const kNone = new Table();
  const auto live = tables_.find(request.kind());
  const Table& table = live == tables_.end() ? *kNone : live->second;
  const bool with_ended = request.kind() == v1::TASKS && !request.live_only();
  const Table& ended = with_ended ? ended_by_id_ : *kNone;
  std::vector<ObjectPointer> selected;
  // Two sorted tables. Who is in both, because it came back, is listed as it ended.
  auto a = table.upper_bound(after);
  auto b = ended.upper_bound(after);
  while (selected.size() < most && (a != table.end() || b != ended.end())) {
    if (a != table.end() && b != ended.end() && a->first == b->first) ++a;
    const bool first = b == ended.end() || (a != table.end() && a->first < b->first);
    const ObjectPointer& object = first ? (a++)->second : (b++)->second;
    if (Wanted(request, *object)) selected.push_back(object);
  }
  return selected;
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
  if (watchers_.size() >= limits::kWatchers) return 0;
  watchers_[++last_watcher_] = std::move(wake);
  return last_watcher_;
}

void Projection::RemoveWatcher(uint64_t id) {
  MutexLock lock(&mutex_);
  watchers_.erase(id);
}

}  // namespace proffer::master
