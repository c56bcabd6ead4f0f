// Questions to the core on behalf of operators, and the way back of their answers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "common/base/mutex.h"
#include "master/core/effects.h"
#include "master/mail.h"

namespace proffer::master {

// THREAD: any.
class Asking {
 public:
  using OnAnswer = std::function<void(const model::Outcome&)>;
  using OnBasis = std::function<void(std::shared_ptr<const ExplainBasis>)>;

  explicit Asking(MasterMailbox* mailbox) : mailbox_(mailbox) {}

  // The callback comes once, on another thread; at once, when the master has too much to do.
  void Ask(decltype(OperatorAsked::what) what, OnAnswer on_answer) {
    uint64_t id = 0;
    {
      MutexLock lock(&mutex_);
      id = ++last_;
      answers_[id] = std::move(on_answer);
    }
    if (!mailbox_->Push({OperatorAsked{id, std::move(what)}, nullptr})) {
      Answered(id, {model::Refusal::kTooMany, "the master has too much to do; try again"});
    }
  }
  void AskBasis(OnBasis on_basis) {
    uint64_t id = 0;
    {
      MutexLock lock(&mutex_);
      id = ++last_;
      bases_[id] = std::move(on_basis);
    }
    if (!mailbox_->Push({OperatorAsked{id, ExplainAsked{}}, nullptr})) Based(id, nullptr);
  }

  void Answered(uint64_t id, const model::Outcome& outcome) {
    OnAnswer on_answer;
    {
      MutexLock lock(&mutex_);
      auto it = answers_.find(id);
      if (it == answers_.end()) return;
      on_answer = std::move(it->second);
      answers_.erase(it);
    }
    on_answer(outcome);
  }
  void Based(uint64_t id, std::shared_ptr<const ExplainBasis> basis) {
    OnBasis on_basis;
    {
      MutexLock lock(&mutex_);
      auto it = bases_.find(id);
      if (it == bases_.end()) return;
      on_basis = std::move(it->second);
      bases_.erase(it);
    }
    on_basis(std::move(basis));
  }

 private:
  MasterMailbox* const mailbox_;
  Mutex mutex_;
  uint64_t last_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::map<uint64_t, OnAnswer> answers_ GUARDED_BY_MUTEX(mutex_);
  std::map<uint64_t, OnBasis> bases_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::master
