// What a master tells of tasks, written down by a watcher that outlives masters, and judged.
#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "proffer/v1/operator.grpc.pb.h"

namespace proffer::testing {

class ToldHistory {
 public:
  explicit ToldHistory(const std::string& master)
      : stub_(v1::OperatorService::NewStub(rpc::MakeChannel({master, true}))),
        thread_([this] { Run(); }) {}
  ~ToldHistory() {
    {
      MutexLock lock(&mutex_);
      stopping_ = true;
      if (context_ != nullptr) context_->TryCancel();
    }
    thread_.join();
  }

  // Attempts that have ended.
  int ends() {
    MutexLock lock(&mutex_);
    int ends = 0;
    for (const auto& [attempt, told] : attempts_) ends += IsEnd(told.state) ? 1 : 0;
    return ends;
  }
  // An end that was taken back or told as another, something that ran and then was about to start,
  // an agent that had another name.
  std::vector<std::string> Contradictions() {
    MutexLock lock(&mutex_);
    return contradictions_;
  }

 private:
  struct Told {
    v1::TaskState state = v1::TASK_STATE_UNSPECIFIED;
    std::string reason;  // Of its end.
    std::string status;  // "exit 1", "signal 9"; empty: not told.
    std::string agent;
  };

  static bool IsEnd(v1::TaskState state) {
    return state == v1::FINISHED || state == v1::FAILED || state == v1::KILLED ||
           state == v1::ERROR || state == v1::DROPPED || state == v1::GONE;
  }
  static int Rank(v1::TaskState state) {
    if (IsEnd(state)) return 3;
    if (state == v1::STAGING || state == v1::STARTING) return 1;
    return state == v1::RUNNING || state == v1::KILLING ? 2 : 0;  // 0: nothing is said of it.
  }

  void Run() {
    for (;;) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      {
        MutexLock lock(&mutex_);
        if (stopping_) return;
        context_ = &context;
      }
      v1::WatchRequest request;
      request.add_kinds(v1::TASKS);
      auto reader = stub_->Watch(&context, request);
      v1::WatchEvent event;
      while (reader->Read(&event)) {
        for (const v1::Object& object : event.snapshot().objects()) Hear(object.task());
        if (event.has_change()) Hear(event.change().object().task());
      }
      reader->Finish();
      MutexLock lock(&mutex_);
      context_ = nullptr;
    }
  }

  void Hear(const v1::TaskView& task) {
    MutexLock lock(&mutex_);
    const std::string attempt =
        absl::StrCat(task.task_id(), " ", task.attempt().epoch(), "-", task.attempt().n());
    Told& told = attempts_[attempt];
    if (told.agent.empty()) told.agent = task.agent_id();
    Expect(attempt, "agent", told.agent, task.agent_id());
    const int rank = Rank(task.state());
    if (rank == 0) return;
    if (rank < Rank(told.state) || (IsEnd(told.state) && task.state() != told.state)) {
      Expect(attempt, "state", v1::TaskState_Name(told.state), v1::TaskState_Name(task.state()));
    }
    told.state = task.state();
    if (!IsEnd(task.state())) return;
    // That it has ended may be known before how, and a new master has the details later.
    const std::string reason = v1::TaskReason_Name(task.reason());
    if (told.reason.empty() && task.reason() != v1::TASK_REASON_UNSPECIFIED) told.reason = reason;
    if (!told.reason.empty()) Expect(attempt, "reason", told.reason, reason);
    const std::string status = task.has_exit_code() ? absl::StrCat("exit ", task.exit_code())
                               : task.has_signal()  ? absl::StrCat("signal ", task.signal())
                                                    : "";
    if (told.status.empty()) told.status = status;
    if (!status.empty()) Expect(attempt, "exit status", told.status, status);
  }

  void Expect(const std::string& attempt, const std::string& what, const std::string& was,
              const std::string& now) REQUIRES_MUTEX(mutex_) {
    if (was == now) return;
    contradictions_.push_back(
        absl::StrCat("attempt ", attempt, ": its ", what, " was ", was, ", now ", now));
  }

  const std::unique_ptr<v1::OperatorService::Stub> stub_;
  Mutex mutex_;
  grpc::ClientContext* context_ GUARDED_BY_MUTEX(mutex_) = nullptr;
  bool stopping_ GUARDED_BY_MUTEX(mutex_) = false;
  std::map<std::string, Told> attempts_ GUARDED_BY_MUTEX(mutex_);
  std::vector<std::string> contradictions_ GUARDED_BY_MUTEX(mutex_);
  std::thread thread_;
};

}  // namespace proffer::testing
