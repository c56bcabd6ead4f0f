#include "common/rpc/live_streams.h"

#include <unordered_map>

#include "common/base/mutex.h"

namespace proffer::rpc {
namespace {

struct Counts {
  Mutex mutex;
  std::unordered_map<std::string, int64_t> by_connection GUARDED_BY_MUTEX(mutex);
};

Counts& TheCounts() {
  static auto* const counts = new Counts;
  return *counts;
}

}  // namespace

LiveStream::LiveStream(const std::string& connection) : connection_(connection) {
  ++count_;
  Counts& counts = TheCounts();
  MutexLock lock(&counts.mutex);
  ++counts.by_connection[connection_];
}

LiveStream::~LiveStream() {
  --count_;
  Counts& counts = TheCounts();
  MutexLock lock(&counts.mutex);
  const auto it = counts.by_connection.find(connection_);
  if (--it->second == 0) counts.by_connection.erase(it);
}

std::vector<std::string> LiveStream::ConnectionsWithMoreThan(int64_t most) {
  std::vector<std::string> found;
  Counts& counts = TheCounts();
  MutexLock lock(&counts.mutex);
  for (const auto& [connection, count] : counts.by_connection) {
    if (count > most) found.push_back(connection);
  }
  return found;
}

}  // namespace proffer::rpc
