#include "common/rpc/live_streams.h"

#include <unordered_map>
#include <vector>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "common/rpc/allowance.h"

namespace proffer::rpc {
namespace {

constexpr Allowance::Rate kOpening = {limits::kStreamsOpened, limits::kStreamsOpenedPerSecond};

struct Connection {
  int64_t live = 0;
  Allowance opening{kOpening, BootTimeNow()};
};

struct Table {
  Mutex mutex;
  std::unordered_map<std::string, Connection> connections GUARDED_BY_MUTEX(mutex);
  // As many as there were live ones at the last sweep, and some.
  size_t sweep_at GUARDED_BY_MUTEX(mutex) = 1'000;
  std::vector<std::weak_ptr<const LiveStream::OnStorm>> watchers GUARDED_BY_MUTEX(mutex);
};

Table& TheTable() {
  static auto* const table = new Table;
  return *table;
}

// Forgets connections without a stream once they may open as many as ever.
void Sweep(Table& table, Time now) REQUIRES_MUTEX(table.mutex) {
  if (table.connections.size() < table.sweep_at) return;
  std::erase_if(table.connections, [now](const auto& entry) {
    return entry.second.live == 0 && entry.second.opening.IsWhole(now);
  });
  table.sweep_at = 2 * table.connections.size() + 1'000;
}

}  // namespace

LiveStream::LiveStream(const std::string& connection) : connection_(connection) {
  ++count_;
  const Time now = BootTimeNow();
  Table& table = TheTable();
  std::vector<std::weak_ptr<const OnStorm>> watchers;
  {
    MutexLock lock(&table.mutex);
    Sweep(table, now);
    Connection& one = table.connections[connection_];
    ++one.live;
    if (!one.opening.Take(now)) watchers = table.watchers;
  }
  for (const auto& watcher : watchers) {
    if (const auto alive = watcher.lock()) (*alive)(connection_);
  }
}

LiveStream::~LiveStream() {
  --count_;
  Table& table = TheTable();
  MutexLock lock(&table.mutex);
  --table.connections.find(connection_)->second.live;
}

std::shared_ptr<const LiveStream::OnStorm> LiveStream::Watch(OnStorm on_storm) {
  auto watcher = std::make_shared<const OnStorm>(std::move(on_storm));
  Table& table = TheTable();
  MutexLock lock(&table.mutex);
  std::erase_if(table.watchers, [](const auto& one) { return one.expired(); });
  table.watchers.push_back(watcher);
  return watcher;
}

}  // namespace proffer::rpc
