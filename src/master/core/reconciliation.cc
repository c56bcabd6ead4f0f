#include "master/core/reconciliation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/registration.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

const TaskView* FindEnded(const Framework& framework, const model::TaskId& id) {
  for (auto it = framework.ended.rbegin(); it != framework.ended.rend(); ++it) {
    if (it->key.task == id) return &*it;
  }
  return nullptr;
}

// The truth about a task without a row, or nothing while it cannot be known.
std::optional<model::TaskStatus> StatusOfAbsent(const World& world, const Framework& framework,
                                                const model::Reconcile::Task& asked,
                                                bool any_awaited) {
  model::TaskStatus status;
  status.task = asked.task;
  status.agent = asked.agent;
  status.reason = model::TaskReason::kReconciled;
  status.source = model::StatusSource::kMaster;
  status.time_unix_ms = world.unix_ms;
  if (const TaskView* ended = FindEnded(framework, asked.task)) {
    REACHED("reconciliation: answered from the history");
    status.attempt = ended->attempt;
    status.agent = ended->agent;
    status.state = ended->state;
    status.message = ended->message;
    status.exit_code = ended->exit_code;
    status.signal = ended->signal;
    return status;
  }
  const Agent* agent = world.agents.Find(asked.agent);
  if (agent == nullptr) {
    // Without a place to look, any agent that is still awaited may have it.
    if (any_awaited) REACHED("reconciliation: any awaited agent may have the task");
    if (any_awaited) return std::nullopt;
    status.state = model::TaskState::kUnknown;
    status.message = "never heard of it, or forgot it";
    return status;
  }
  if (IsAwaited(*agent) && !MUTANT("unknown-called-gone")) {
    REACHED("reconciliation: the agent of the task is awaited");
    return std::nullopt;
  }
  switch (agent->state) {
    case AgentState::kGone:
      status.state = model::TaskState::kGoneByOperator;
      status.message = "an operator declared its agent gone";
      break;
    case AgentState::kUnreachable:
      REACHED("reconciliation: the agent is unreachable and the task has no row");
      status.state = model::TaskState::kUnreachable;
      status.message = "its agent is unreachable";
      break;
    case AgentState::kConnected:
    case AgentState::kDisconnected:
    case AgentState::kRecovered:
      REACHED("reconciliation: the agent does not have the task");
      status.state = model::TaskState::kGone;
      status.message = "its agent does not have it";
      break;
  }
  return status;
}

// What is told may rest on anything that was written so far.
void TellStatus(World& world, Framework& framework, model::TaskStatus status) {
  world.Tell(framework, std::move(status), world.last_seq);
  ++framework.told_since_heartbeat;
}

// It has ended, and how is for its agent to tell: a summary, which is all that a new leader has of
// it, knows neither the exit code nor that an end was told as news.
bool HowItEndedIsUnknown(const Task& task) { return task.ended() && !task.unacknowledged; }

// Also when the agent is away just now: it tells when it is back.
bool EndIsOnItsWay(const World& world, const Task& task) {
  if (!HowItEndedIsUnknown(task)) return false;
  const Agent* agent = world.agents.Find(task.agent);
  return agent != nullptr && agent->state != AgentState::kUnreachable &&
         agent->state != AgentState::kGone;
}

void TellRow(World& world, Framework& framework, const Task& task) {
  if (EndIsOnItsWay(world, task)) return;
  if (HowItEndedIsUnknown(task)) {
    REACHED("the agent is unreachable of a task whose end it has not told");
    TellStatus(
        world, framework,
        MasterStatus(world, task, model::TaskState::kUnreachable, model::TaskReason::kReconciled,
                     "it has ended; its agent, which knows how, is unreachable"));
    return;
  }
  // What waits for an acknowledgement is told as such: the framework must answer it anyway. That
  // its agent is unreachable is no status of the agent's, and is told beside it.
  if (task.unacknowledged) TellStatus(world, framework, *task.unacknowledged);
  if (task.unacknowledged && task.state == model::TaskState::kUnreachable) {
    REACHED("a task is unreachable while a status of it is not acknowledged");
  }
  if (!task.unacknowledged || task.state == model::TaskState::kUnreachable) {
    TellStatus(world, framework, PresentStatus(world, task));
  }
}

void AnswerNamed(World& world, Framework& framework, Question& question,
                 const model::Reconcile::Task& asked, bool any_awaited) {
  if (const Task* task = FindTask(framework, asked.task)) {
    if (EndIsOnItsWay(world, *task)) {
      question.items.push_back(
          {asked.task.value(),
           {model::Refusal::kNotKnownYet, "it has ended; its agent is to tell how"},
           task->attempt});
      return;
    }
    TellRow(world, framework, *task);
    question.items.push_back({asked.task.value(), model::Outcome::Ok(), task->attempt});
    return;
  }
  std::optional<model::TaskStatus> status = StatusOfAbsent(world, framework, asked, any_awaited);
  if (!status || MAYBE("answer that a task is not known yet")) {
    question.items.push_back({asked.task.value(),
                              {model::Refusal::kNotKnownYet,
                               "its agent may not have reported to the new leader yet; ask again"},
                              {}});
    return;
  }
  question.items.push_back({asked.task.value(), model::Outcome::Ok(), status->attempt});
  TellStatus(world, framework, *std::move(status));
}

// Looks at one more task; false when there is none left.
bool AnswerOne(World& world, Framework& framework, Question& question, bool any_awaited) {
  if (question.about == Question::About::kNamed) {
    if (question.answered == question.named.size()) return false;
    AnswerNamed(world, framework, question, question.named[question.answered++], any_awaited);
    return true;
  }
  const auto row = framework.tasks.upper_bound(question.told_up_to);
  if (row == framework.tasks.end()) return false;
  question.told_up_to = row->first;
  if (question.about == Question::About::kAll) {
    TellRow(world, framework, row->second);
  } else if (row->second.unacknowledged) {
    TellStatus(world, framework, *row->second.unacknowledged);
  }
  return true;
}

void Conclude(World& world, Framework& framework, Question question, bool any_awaited) {
  if (question.about == Question::About::kUnacknowledged) return;
  if (question.about == Question::About::kAll && any_awaited) {
    question.items.push_back({"",
                              {model::Refusal::kNotKnownYet,
                               "some agents have not reported to the new leader yet; ask again"},
                              {}});
  }
  if (question.items.empty()) question.items.push_back({"", model::Outcome::Ok(), {}});
  world.Answer(framework, question.call_id, std::move(question.items), world.last_seq);
}

void Answer(World& world, Framework& framework) {
  const bool any_awaited = AnyAwaited(world);
  while (!framework.questions.empty()) {
    if (framework.told_since_heartbeat >= world.config.statuses_per_heartbeat ||
        MAYBE("go on with the answers after a heartbeat")) {
      REACHED("answers wait for the framework to have heard the last ones");
      world.Tell(framework, model::Heartbeat{});
      return;
    }
    Question& question = framework.questions.front();
    if (AnswerOne(world, framework, question, any_awaited)) continue;
    Question done = std::move(question);
    framework.questions.pop_front();
    Conclude(world, framework, std::move(done), any_awaited);
  }
}

void Ask(World& world, Framework& framework, Question question) {
  framework.questions.push_back(std::move(question));
  // Behind others it waits for its turn.
  if (framework.questions.size() == 1) Answer(world, framework);
}

}  // namespace

void ReconcileCalled(World& world, Framework& framework, uint64_t call_id,
                     const model::Reconcile& reconcile) {
  size_t in_question = reconcile.tasks.size();
  // One that names none counts too.
  for (const Question& open : framework.questions) in_question += open.named.size() + 1;
  if (in_question > limits::kTasksInQuestion) {
    world.Answer(
        framework, call_id,
        {model::Refusal::kTooMany, absl::StrCat("more than ", limits::kTasksInQuestion,
                                                " tasks are in question; wait for the answers")});
    return;
  }
  Question question;
  question.about = reconcile.tasks.empty() ? Question::About::kAll : Question::About::kNamed;
  question.call_id = call_id;
  question.named = reconcile.tasks;
  Ask(world, framework, std::move(question));
}

void RepeatUnacknowledged(World& world, Framework& framework) {
  Question question;
  question.about = Question::About::kUnacknowledged;
  Ask(world, framework, std::move(question));
}

void ContinueAnswers(World& world, Framework& framework) {
  framework.told_since_heartbeat = 0;
  if (!framework.questions.empty()) Answer(world, framework);
}

}  // namespace proffer::master
