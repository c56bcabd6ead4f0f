// What a shim decides: pure, no clock, no descriptor. The driver tells what happened and does what
// comes back.
//
//   starting -> running -> sweeping (the program ended; what it left behind is being killed) ->
//   over
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "launcher/wire.h"

namespace proffer::launcher {

// All that may be asked for; several at once.
struct Actions {
  bool terminate = false;  // SIGTERM to the task's process group.
  bool kill = false;       // SIGKILL to it.
  bool sweep = false;      // SIGKILL to everything that is left; tell OnSwept when nothing is.
  bool publish = false;    // Write the end to disk, then tell the agent.
  bool exit = false;
};

class Machine {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  Machine(int64_t kill_grace_ms, int64_t max_run_time_ms, int64_t stop_after_disconnect_ms)
      : kill_grace_ms_(kill_grace_ms),
        max_run_time_ms_(max_run_time_ms),
        stop_after_disconnect_ms_(stop_after_disconnect_ms) {}

  Actions OnStarted(int64_t now) {
    phase_ = Phase::kRunning;
    if (max_run_time_ms_ > 0) run_deadline_ = now + max_run_time_ms_;
    // A kill that came while it was being started: it may end in its own way as any other.
    return Actions{.terminate = ended_.cause != Cause::kItself && !killed_hard_};
  }
  // The program could not be started: that is published like an end, once nothing is left of the
  // attempt to start it.
  Actions OnLaunchFailed() {
    if (phase_ != Phase::kStarting) return {};
    phase_ = Phase::kSweeping;
    ForgetDeadlines();
    return Actions{.sweep = true};
  }

  void OnConnected() {
    connected_ = true;
    silence_deadline_ = kNever;
  }
  Actions OnDisconnected(int64_t now) {
    connected_ = false;
    if (phase_ == Phase::kOver) return Actions{.exit = true};
    if (stop_after_disconnect_ms_ > 0) silence_deadline_ = now + stop_after_disconnect_ms_;
    return {};
  }

  Actions OnKill(int64_t now, int64_t grace_ms) { return Kill(now, Cause::kKilled, grace_ms); }
  // The kernel has killed something in the container for want of memory.
  Actions OnOutOfMemory(int64_t now) { return Kill(now, Cause::kMemoryLimit, 0); }

  // The program ended (others of its group may live).
  Actions OnEnded(bool signalled, int32_t code) {
    if (phase_ != Phase::kRunning && phase_ != Phase::kStarting) return {};
    phase_ = Phase::kSweeping;
    ended_.signalled = signalled;
    ended_.code = code;
    ForgetDeadlines();
    return Actions{.sweep = true};
  }
  // Looked at after the last process has gone: whatever its exit code, it did not end by itself.
  void OnOutOfMemoryFound() {
    if (ended_.cause == Cause::kItself) ended_.cause = Cause::kMemoryLimit;
  }
  // No process of the task is left and its output is written.
  Actions OnSwept() {
    if (phase_ != Phase::kSweeping) return {};
    phase_ = Phase::kOver;
    return Actions{.publish = true, .exit = !connected_};
  }
  Actions OnRelease() { return Actions{.exit = phase_ == Phase::kOver}; }

  Actions OnTimer(int64_t now) {
    if (now >= kill_deadline_) {
      kill_deadline_ = kNever;
      killed_hard_ = true;
      return Actions{.kill = true};
    }
    if (now >= run_deadline_) {
      run_deadline_ = kNever;
      return Kill(now, Cause::kMaxRunTime, kill_grace_ms_);
    }
    if (now >= silence_deadline_) {
      silence_deadline_ = kNever;
      return Kill(now, Cause::kDisconnected, kill_grace_ms_);
    }
    return {};
  }

  int64_t deadline() const { return std::min({kill_deadline_, run_deadline_, silence_deadline_}); }
  bool over() const { return phase_ == Phase::kOver; }
  const Ended& ended() const { return ended_; }

 private:
  enum class Phase { kStarting, kRunning, kSweeping, kOver };

  void ForgetDeadlines() { kill_deadline_ = run_deadline_ = silence_deadline_ = kNever; }

  Actions Kill(int64_t now, Cause cause, int64_t grace_ms) {
    if (phase_ == Phase::kSweeping || phase_ == Phase::kOver || killed_hard_) return {};
    const bool first = ended_.cause == Cause::kItself;
    if (first) ended_.cause = cause;
    // A later kill may only shorten the time.
    const int64_t due = grace_ms <= 0 ? now : now + std::min(grace_ms, kNever - now);
    kill_deadline_ = std::min(kill_deadline_, due);
    // What is being started cannot be told yet; OnStarted does.
    if (kill_deadline_ > now) return Actions{.terminate = first && phase_ == Phase::kRunning};
    kill_deadline_ = kNever;
    killed_hard_ = true;
    return Actions{.kill = true};
  }

  const int64_t kill_grace_ms_;
  const int64_t max_run_time_ms_;
  const int64_t stop_after_disconnect_ms_;
  Phase phase_ = Phase::kStarting;
  bool connected_ = true;
  bool killed_hard_ = false;
  int64_t kill_deadline_ = kNever;
  int64_t run_deadline_ = kNever;
  int64_t silence_deadline_ = kNever;
  Ended ended_;
};

}  // namespace proffer::launcher
