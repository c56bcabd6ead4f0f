// The path to the leading master: hello, welcome, epochs, reporting in chunks, silence.
//
//   down -> greeted (hello sent) -> welcomed (the epoch is checkpointed) -> registered
//
// Orders other than the welcome are obeyed only once welcomed. Who is silent for too long is left;
// the delays between attempts double with jitter until a registration succeeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/config.h"
#include "agent/core/records.h"
#include "agent/core/task_table.h"
#include "agent/core/turn.h"
#include "common/base/prng.h"
#include "common/base/time.h"
#include "common/model/agent_protocol.h"

namespace proffer::agent {

class Link {
 public:
  enum class State { kDown, kGreeted, kWelcomed, kRegistered };

  Link(const Config& config, const TaskTable* tasks);

  void Recover(const IdentityRecord& identity) { identity_ = identity; }
  // Brings the identity up to date: a new boot, other resources.
  void Start(const Turn& turn);
  // Asks for a connection.
  void Connect(const Turn& turn);

  void OnUp(const Turn& turn, uint64_t link);
  void OnDown(const Turn& turn, uint64_t link);
  void OnLeaderFound(const Turn& turn);
  // Any order counts as a sign of life.
  void Heard(Time received);

  void OnWelcome(const Turn& turn, const model::Welcome& welcome);
  void OnSendTasks(const Turn& turn, const model::SendTasks& order);
  void OnRegistered();
  void OnPing(const Turn& turn, const model::Ping& ping);
  void OnOpenData(const Turn& turn);

  // Leaves the master and asks for a new connection.
  void Drop(const Turn& turn, std::string reason);
  void Stop(const Turn& turn, uint64_t after_seq, model::Refusal reason, std::string message);
  // The operator declared this agent gone: remembers it durably and never speaks to a master again.
  void RememberGone(const Turn& turn);
  // All its tasks have ended: forgets who it was, and stops. A later start is a new agent.
  void ForgetIdentity(const Turn& turn);

  void Tick(const Turn& turn);
  Time NextDeadline() const { return silence_deadline_; }
  // The turn began late, so nobody could have been heard: the master's silence counts from now.
  void ForgiveSilence(Time now);

  State state() const { return state_; }
  bool welcomed() const { return state_ == State::kWelcomed || state_ == State::kRegistered; }
  bool stopped() const { return stopped_; }
  bool gone() const { return identity_.gone; }
  uint64_t number() const { return number_; }
  const IdentityRecord& identity() const { return identity_; }
  // When a leading master was last heard, counted from the start of the process.
  Time last_contact() const { return last_contact_; }
  int64_t ping_ms() const { return ping_ms_; }

 private:
  void SaveIdentity(const Turn& turn);
  void GoDown();
  void Hello(const Turn& turn);

  const Config config_;
  const TaskTable* const tasks_;
  Prng prng_;
  IdentityRecord identity_;
  State state_ = State::kDown;
  bool stopped_ = false;
  uint64_t number_ = 0;  // Of the connection; 0: none.
  int failures_ = 0;     // Since the last registration.
  int64_t silence_ms_ = 0;
  int64_t ping_ms_ = 0;
  Time silence_deadline_ = Time::Never();
  Time last_contact_;

  // What is being reported: the attempts there were at the welcome, how far it has come.
  std::vector<model::AttemptId> report_;
  size_t report_next_ = 0;
  int64_t report_sent_ = 0;
};

}  // namespace proffer::agent
