// The open streams of agents and schedulers by their number, so that the core's effects find
// their way out.
#pragma once

#include <map>
#include <memory>

#include "common/base/mutex.h"
#include "common/rpc/server_stream.h"
#include "master/core/events.h"
#include "proffer/v1/agent.pb.h"
#include "proffer/v1/scheduler.pb.h"

namespace proffer::master {

using AgentStream = rpc::ServerStream<v1::AgentMessage, v1::AgentOrder>;
using SchedulerStream = rpc::ServerStream<v1::SchedulerCall, v1::SchedulerEvent>;

// THREAD: any.
class Streams {
 public:
  StreamId NextId() {
    MutexLock lock(&mutex_);
    return ++last_;
  }
  void Add(StreamId id, AgentStream::Pointer stream) {
    MutexLock lock(&mutex_);
    agents_[id] = std::move(stream);
  }
  void Add(StreamId id, SchedulerStream::Pointer stream) {
    MutexLock lock(&mutex_);
    schedulers_[id] = std::move(stream);
  }
  void Remove(StreamId id) {
    MutexLock lock(&mutex_);
    agents_.erase(id);
    schedulers_.erase(id);
  }
  AgentStream::Pointer Agent(StreamId id) {
    MutexLock lock(&mutex_);
    auto it = agents_.find(id);
    return it == agents_.end() ? nullptr : it->second;
  }
  SchedulerStream::Pointer Scheduler(StreamId id) {
    MutexLock lock(&mutex_);
    auto it = schedulers_.find(id);
    return it == schedulers_.end() ? nullptr : it->second;
  }

 private:
  Mutex mutex_;
  StreamId last_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::map<StreamId, AgentStream::Pointer> agents_ GUARDED_BY_MUTEX(mutex_);
  std::map<StreamId, SchedulerStream::Pointer> schedulers_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::master
