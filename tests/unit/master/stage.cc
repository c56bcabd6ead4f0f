#include "unit/master/stage.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"
#include "master/core/world.h"
#include "unit/master/stage_words.h"

namespace proffer::master {

using testing::ScenarioCommand;

Stage::Stage() {
  config_.cluster_id = "c1";
  config_.epoch = 1;
  config_.seed = 1;
}

void Stage::Say(const std::string& line) { absl::StrAppend(output_, names_.Rename(line), "\n"); }

void Stage::Begin(const ScenarioCommand& command) {
  config_.epoch = words::Number(command.Option("epoch", "1"));
  config_.valve_min_agents = words::Number(command.Option("valve_min", "10"));
  config_.unreachable_per_minute = words::Number(command.Option("per_minute", "100"));
  config_.max_outstanding_offers = static_cast<int>(words::Number(command.Option("cap", "50")));
  config_.statuses_per_heartbeat =
      static_cast<int>(words::Number(command.Option("answers", "1000")));
  show_notes_ = command.HasWord("notes");
  show_heartbeats_ = command.HasWord("heartbeats");
}

// --- Turns ---

void Stage::OneTurn(const std::vector<Event>& events) {
  Effects effects;
  if (core_ == nullptr) {
    core_ = std::make_unique<Core>(config_, registry_, now_, 1'000'000 + now_.ms, &effects);
    Learn(effects);
    Print(effects);
    Apply(effects.deltas);
    effects.Clear();
  }
  core_->BeginTurn(now_, 1'000'000 + now_.ms, &effects);
  for (const Event& event : events) core_->Step(event);
  core_->EndTurn();
  Learn(effects);
  Print(effects);
  Apply(effects.deltas);
  CompareReaders();
  if (absl::Status status = core_->CheckInvariants(); !status.ok()) {
    Say(absl::StrCat("BROKEN: ", status.message()));
  }
  for (const WriteRecord& record : effects.records) {
    if (record.seq != ++written_) Say(absl::StrCat("BROKEN: record ", record.seq, " is not next"));
    not_durable_.push_back(record);
  }
  for (ToAgent& out : effects.to_agents) outbox_.Add(out.after_seq, out.stream, out);
  for (ToScheduler& out : effects.to_schedulers) {
    // Streams of agents and schedulers never share a number here.
    outbox_.Add(out.after_seq, out.stream, out);
  }
  if (!disk_stopped_) {
    for (const WriteRecord& record : not_durable_) registry_.Apply(record.record);
    not_durable_.clear();
    outbox_.Durable(written_);
  }
  for (const auto& [stream, out] : outbox_.TakeReady()) Deliver(out);
}

void Stage::Turn(std::vector<Event> events) {
  OneTurn(events);
  // Every reaction is a turn of its own, so that what follows from what can be read.
  while (!reactions_.empty()) {
    const Event next = std::move(reactions_.front());
    reactions_.erase(reactions_.begin());
    OneTurn({next});
  }
}

void Stage::Run(int64_t ms) {
  const Time until = now_ + ms;
  if (core_ == nullptr) Turn({});
  for (int turns = 0; turns < 100'000; ++turns) {
    const Time next = std::max(core_->NextDeadline(), now_);
    if (next > until) break;
    if (next == now_ && turns > 10'000) {
      Say("BROKEN: turns without end");
      break;
    }
    now_ = next;
    Turn({});
  }
  now_ = until;
  Turn({});
}

void Stage::Deliver(const Out& out) {
  if (const auto* to_agent = std::get_if<ToAgent>(&out)) {
    Deliver(*to_agent);
  } else {
    Deliver(std::get<ToScheduler>(out));
  }
}

void Stage::Deliver(const ToAgent& out) {
  for (auto& [name, agent] : agents_) {
    if (agent.stream != out.stream) continue;
    for (model::AgentMessage& answer : agent.Answers(out.order)) {
      reactions_.push_back(AgentSaid{out.stream, now_, std::move(answer)});
    }
    if (out.last) agent.stream = 0;
  }
  if (out.last) reactions_.push_back(AgentStreamClosed{out.stream});
}

void Stage::Deliver(const ToScheduler& out) {
  for (auto& [name, scheduler] : schedulers_) {
    if (scheduler.stream != out.stream) continue;
    scheduler.Hear(out.event);
    if (std::holds_alternative<model::Heartbeat>(out.event) && !scheduler.silent) {
      reactions_.push_back(
          SchedulerSaid{out.stream, scheduler.principal, {0, model::HeartbeatAnswer{}}});
    }
    if (out.last) scheduler.stream = 0;
  }
  if (out.last) reactions_.push_back(SchedulerStreamClosed{out.stream});
}

// --- Reading effects ---

void Stage::Learn(const Effects& effects) {
  for (const ToAgent& out : effects.to_agents) {
    if (const auto* welcome = std::get_if<model::Welcome>(&out.order)) {
      names_.OfId(welcome->agent.value(), names_.Stream(out.stream));
    }
  }
  for (const ToScheduler& out : effects.to_schedulers) {
    if (const auto* subscribed = std::get_if<model::Subscribed>(&out.event)) {
      names_.OfId(subscribed->framework.value(), names_.Stream(out.stream));
    }
  }
}

void Stage::Print(const Effects& effects) {
  const auto after = [](uint64_t seq) {
    return seq == 0 ? std::string() : absl::StrCat(" (after record ", seq, ")");
  };
  const auto last = [](bool is) { return is ? " (stream ends)" : ""; };
  if (show_notes_) {
    for (const std::string& note : effects.notes) Say(absl::StrCat("note: ", note));
  }
  for (const WriteRecord& record : effects.records) {
    Say(absl::StrCat("record ", record.seq, ": ", Text(record.record)));
  }
  for (const ToAgent& out : effects.to_agents) {
    if (IsPulse(out.order)) continue;
    Say(absl::StrCat("-> ", names_.Stream(out.stream), ": ", Text(out.order), after(out.after_seq),
                     last(out.last)));
  }
  for (const ToScheduler& out : effects.to_schedulers) {
    if (IsPulse(out.event) && !show_heartbeats_) continue;
    Say(absl::StrCat("-> ", names_.Stream(out.stream), ": ", Text(out.event), after(out.after_seq),
                     last(out.last)));
  }
  for (const OperatorAnswer& answer : effects.answers) {
    Say(absl::StrCat("-> operator: ", Text(answer.outcome), after(answer.after_seq)));
  }
  for (const auto& [request, basis] : effects.explain) {
    Say(absl::StrCat("-> operator: a copy with ", basis->frameworks.size(), " frameworks and ",
                     basis->hostnames.size(), " agents"));
  }
}

void Stage::Apply(const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) {
    if (delta.removed) {
      readers_.erase(KeyOf(delta.view));
    } else {
      readers_[KeyOf(delta.view)] = Text(delta.view);
    }
  }
}

void Stage::CompareReaders() {
  const World& world = core_->world();
  std::map<std::string, std::string> truth;
  const auto add = [&truth](const View& view) { truth[KeyOf(view)] = Text(view); };
  for (const auto& [id, agent] : world.agents.all()) add(ViewOf(agent));
  for (const auto& [id, framework] : world.frameworks.all()) {
    add(ViewOf(framework));
    for (const auto& [key, task] : framework.tasks) add(ViewOf(world, framework, task));
  }
  for (const auto& [id, offer] : world.offers.all()) add(ViewOf(world, offer));
  for (const auto& [key, text] : readers_) {
    if (absl::StartsWith(key, "role ")) truth[key] = text;  // Of shares one keeps a picture only.
  }
  for (const auto& [key, text] : truth) {
    auto told = readers_.find(key);
    if (told == readers_.end()) {
      Say(absl::StrCat("BROKEN: readers were not told of ", text));
    } else if (told->second != text) {
      Say(absl::StrCat("BROKEN: readers were told ", told->second, "; the truth is ", text));
    }
  }
  for (const auto& [key, text] : readers_) {
    if (truth.count(key) == 0) Say(absl::StrCat("BROKEN: readers still see ", text));
  }
}

// --- Peers ---

FakeAgent& Stage::AgentOf(const std::string& name) {
  auto it = agents_.find(name);
  CHECK(it != agents_.end()) << "no agent " << name;
  return it->second;
}

FakeScheduler& Stage::Scheduler(const std::string& name) {
  auto it = schedulers_.find(name);
  CHECK(it != schedulers_.end()) << "no framework " << name;
  return it->second;
}

StreamId Stage::OpenStream(const std::string& name) {
  const StreamId stream = ++last_stream_;
  names_.OfStream(stream, name);
  return stream;
}

void Stage::Agent(const ScenarioCommand& command) {
  const std::string& name = command.words.at(0);
  FakeAgent& agent = agents_[name];
  if (agent.stream != 0) {
    // A second process: the first one still listens on its own stream.
    names_.OfStream(agent.stream, absl::StrCat(name, " (older stream)"));
  }
  agent.hostname = name;
  agent.version = words::Version(command.Option("version"));
  agent.info.facts.hostname = command.Option("hostname", name);
  agent.info.facts.zone = command.Option("zone");
  if (command.words.size() > 1 && command.words[1] != "manual") {
    agent.info.resources = words::Res(command.words[1]);
  }
  if (!command.Option("attributes").empty()) {
    agent.info.facts.attributes = *Attributes::Parse(command.Option("attributes"));
  }
  if (!command.Option("id").empty()) {
    agent.id = model::AgentId(names_.Id(command.Option("id")));
    names_.OfId(agent.id.value(), name);
  }
  agent.cluster_id = command.Option("cluster", agent.cluster_id);
  if (!command.Option("highest_epoch").empty()) {
    agent.highest_epoch = words::Number(command.Option("highest_epoch"));
  }
  agent.generation = words::Number(command.Option("generation", absl::StrCat(agent.generation)));
  agent.chunk = words::Number(command.Option("chunk", "1000000"));
  agent.manual = command.HasWord("manual");
  agent.silent = false;
  agent.stream = OpenStream(name);
  Turn({AgentSaid{agent.stream, now_, agent.Hello()}});
}

void Stage::Framework(const ScenarioCommand& command) {
  const std::string& name = command.words.at(0);
  FakeScheduler& scheduler = schedulers_[name];
  if (scheduler.stream != 0) {
    names_.OfStream(scheduler.stream, absl::StrCat(name, " (older stream)"));
  }
  model::Subscribe& subscribe = scheduler.subscribe;
  subscribe.version = words::Version(command.Option("version"));
  subscribe.framework.name = command.Option("name", name);
  const std::string roles = command.Option("roles", "default");
  subscribe.framework.roles = words::List(roles == "none" ? "" : roles);
  subscribe.framework.ephemeral = command.HasWord("ephemeral");
  subscribe.framework.failover_timeout_ms = words::Milliseconds(command.Option("failover", "0"));
  subscribe.suppressed_roles = words::List(command.Option("suppressed"));
  subscribe.instance = static_cast<uint64_t>(words::Number(command.Option("instance", "0")));
  subscribe.cluster_id = command.Option("cluster");
  if (!command.Option("id").empty()) {
    subscribe.framework.id = model::FrameworkId(names_.Id(command.Option("id")));
  }
  scheduler.principal = command.Option("principal", "local:1000");
  scheduler.silent = false;
  scheduler.last_call = 1;
  scheduler.to_acknowledge.clear();
  scheduler.stream = OpenStream(name);
  Turn({SchedulerSaid{scheduler.stream, scheduler.principal, {1, subscribe}}});
}

void Stage::Connect(const ScenarioCommand& command) {
  const std::string& name = command.words.at(0);
  if (agents_.count(name) > 0) {
    FakeAgent& agent = agents_[name];
    agent.silent = false;
    agent.stream = OpenStream(name);
    Turn({AgentSaid{agent.stream, now_, agent.Hello()}});
    return;
  }
  FakeScheduler& scheduler = Scheduler(name);
  scheduler.silent = false;
  scheduler.last_call = 1;
  scheduler.to_acknowledge.clear();
  scheduler.stream = OpenStream(name);
  Turn({SchedulerSaid{scheduler.stream, scheduler.principal, {1, scheduler.subscribe}}});
}

void Stage::Disconnect(const std::string& name) {
  if (agents_.count(name) > 0) {
    Turn({AgentStreamClosed{std::exchange(agents_[name].stream, 0)}});
  } else {
    Turn({SchedulerStreamClosed{std::exchange(Scheduler(name).stream, 0)}});
  }
}

// --- Commands ---

// "1-2,1-3", or "last" for the one offered last.
std::vector<model::OfferId> Stage::OffersOf(const std::string& framework, const std::string& text) {
  if (text == "last") return {Scheduler(framework).last_offer};
  return words::Offers(text);
}

void Stage::Call(const ScenarioCommand& command, decltype(model::SchedulerCall::call) call) {
  FakeScheduler& scheduler = Scheduler(command.words.at(0));
  uint64_t id = ++scheduler.last_call;
  if (!command.Option("call").empty()) id = words::Number(command.Option("call"));
  Turn({SchedulerSaid{scheduler.stream, scheduler.principal, {id, std::move(call)}}});
}

bool Stage::PerformCall(const ScenarioCommand& command) {
  const std::string& what = command.name;
  const std::vector<std::string>& words = command.words;
  const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (what == "accept") {
    model::Accept accept;
    if (!rest.empty()) accept.offers = OffersOf(words[0], rest[0]);
    for (size_t i = 1; i + 1 < rest.size(); i += 2) {
      model::TaskSpec task;
      task.id = model::TaskId(rest[i]);
      task.name = rest[i];
      task.resources = words::Res(rest[i + 1]);
      task.payload = std::make_shared<const std::string>();
      task.intent_id = command.Option("intent");
      task.kill_grace_ms = words::Milliseconds(command.Option("task_grace", "0"));
      accept.tasks.push_back(std::move(task));
    }
    accept.refuse_ms = words::MaybeMilliseconds(command.Option("refuse"));
    Call(command, std::move(accept));
  } else if (what == "decline") {
    model::Decline decline;
    if (!rest.empty()) decline.offers = OffersOf(words[0], rest[0]);
    decline.refuse_ms = words::MaybeMilliseconds(command.Option("refuse"));
    Call(command, std::move(decline));
  } else if (what == "suppress") {
    Call(command, model::Suppress{rest});
  } else if (what == "revive") {
    Call(command, model::Revive{rest});
  } else if (what == "demand") {
    // demand f1 | demand f1 none | demand f1 ROLE SHAPE xN [ROLE SHAPE xN ...]
    model::SetDemand set;
    set.declared = !rest.empty() && !command.HasWord("undeclared");
    for (size_t i = 0; i + 2 < rest.size(); i += 3) {
      model::Demand demand;
      demand.role = rest[i];
      if (rest[i + 1] != "nothing") demand.shape = *Quantities::Parse(rest[i + 1]);
      demand.count = words::Number(rest[i + 2].substr(1));
      if (!command.Option("constraint").empty()) {
        demand.constraints.push_back(*Constraint::Parse(command.Option("constraint")));
      }
      set.demands.push_back(std::move(demand));
    }
    Call(command, std::move(set));
  } else if (what == "kill") {
    model::Kill kill;
    kill.task = model::TaskId(rest.at(0));
    kill.attempt = words::Pair<model::AttemptId>(command.Option("attempt", "0-0"));
    kill.grace_ms = words::MaybeMilliseconds(command.Option("grace"));
    Call(command, std::move(kill));
  } else if (what == "acknowledge") {
    FakeScheduler& scheduler = Scheduler(words.at(0));
    const model::TaskStatus& status = scheduler.to_acknowledge[rest.at(0)];
    model::Acknowledge ack{model::TaskId(rest[0]), status.agent, status.attempt, status.sequence};
    if (!command.Option("sequence").empty()) {
      ack.sequence = words::Number(command.Option("sequence"));
    }
    if (!command.Option("attempt").empty()) {
      ack.attempt = words::Pair<model::AttemptId>(command.Option("attempt"));
    }
    Turn({SchedulerSaid{scheduler.stream, scheduler.principal, {0, ack}}});
  } else if (what == "reconcile") {
    model::Reconcile reconcile;
    for (const std::string& task : rest) {
      const std::vector<std::string> parts = absl::StrSplit(task, '@');
      reconcile.tasks.push_back(
          {model::TaskId(parts[0]), model::AgentId(parts.size() > 1 ? names_.Id(parts[1]) : "")});
    }
    Call(command, std::move(reconcile));
  } else if (what == "update_framework") {
    Call(command, model::UpdateFramework{words::List(command.Option("roles")),
                                         words::Milliseconds(command.Option("failover", "0")),
                                         words::List(command.Option("suppressed"))});
  } else if (what == "teardown") {
    Call(command, model::Teardown{});
  } else if (what == "subscribe_again") {
    Call(command, Scheduler(words.at(0)).subscribe);
  } else if (what == "unknown_call") {
    Call(command, std::monostate{});
  } else {
    return false;
  }
  return true;
}

bool Stage::PerformOfAgent(const ScenarioCommand& command) {
  const std::string& what = command.name;
  const std::vector<std::string>& words = command.words;
  if (what == "tell") {
    // tell a1 t1 RUNNING [reason=EXITED] [message="..."] [exit=1]: a status, as the agent keeps it.
    FakeAgent& agent = AgentOf(words.at(0));
    model::TaskStatus status;
    status.state = words::State(words.at(2));
    status.reason = words::Reason(command.Option("reason"));
    status.message = command.Option("message");
    if (!command.Option("exit").empty()) {
      status.exit_code = static_cast<int32_t>(words::Number(command.Option("exit")));
    }
    if (auto message = agent.Change(words.at(1), status)) {
      if (agent.stream != 0) Turn({AgentSaid{agent.stream, now_, *message}});
    } else {
      Say(absl::StrCat(words[0], " has no task ", words[1]));
    }
  } else if (what == "has") {
    // has a1 f1/t1 cpus:1 RUNNING attempt=1-1 [role=web]: the agent runs a task from before.
    FakeAgent& agent = AgentOf(words.at(0));
    const std::vector<std::string> key = absl::StrSplit(words.at(1), '/');
    model::TaskSummary summary;
    summary.key = {model::FrameworkId(names_.Id(key.at(0))), model::TaskId(key.at(1))};
    summary.name = key[1];
    summary.attempt = words::Pair<model::AttemptId>(command.Option("attempt"));
    summary.role = command.Option("role", "default");
    summary.state = words::State(words.at(3));
    summary.resources = words::Res(words.at(2));
    agent.tasks[{summary.key, summary.attempt}].summary = summary;
  } else if (what == "forget") {
    FakeAgent& agent = AgentOf(words.at(0));
    for (auto it = agent.tasks.begin(); it != agent.tasks.end();) {
      it = it->first.first.task.value() == words.at(1) ? agent.tasks.erase(it) : std::next(it);
    }
  } else if (what == "report") {
    FakeAgent& agent = AgentOf(words.at(0));
    model::TaskChunk chunk =
        agent.Chunk(static_cast<int64_t>(words::Number(command.Option("cursor", "0"))));
    if (command.Option("cursor_said") != "") {
      chunk.cursor = words::Number(command.Option("cursor_said"));
    }
    Turn({AgentSaid{agent.stream, now_, std::move(chunk)}});
  } else if (what == "hello_again") {
    FakeAgent& agent = AgentOf(words.at(0));
    Turn({AgentSaid{agent.stream, now_, agent.Hello()}});
  } else if (what == "goodbye") {
    Turn({AgentSaid{AgentOf(words.at(0)).stream, now_, model::Goodbye{"it is stopped"}}});
  } else if (what == "unknown_message") {
    Turn({AgentSaid{AgentOf(words.at(0)).stream, now_, std::monostate{}}});
  } else if (what == "stranger") {
    // stranger agent|framework: a stream that does not begin with hello.
    const StreamId stream = OpenStream("stranger");
    if (words.at(0) == "agent") {
      Turn({AgentSaid{stream, now_, model::Pong{1}}});
    } else {
      Turn({SchedulerSaid{stream, "local:1000", {7, model::Revive{}}}});
    }
  } else {
    return false;
  }
  return true;
}

void Stage::Operator(const ScenarioCommand& command) {
  const std::string& what = command.words.at(0);
  OperatorAsked asked;
  asked.request = ++last_request_;
  if (what == "kill") {
    const std::vector<std::string> key = absl::StrSplit(command.words.at(1), '/');
    asked.what = KillTaskAsked{{model::FrameworkId(names_.Id(key.at(0))), model::TaskId(key.at(1))},
                               words::MaybeMilliseconds(command.Option("grace"))};
  } else if (what == "teardown") {
    asked.what = TeardownAsked{model::FrameworkId(names_.Id(command.words.at(1)))};
  } else if (what == "weight") {
    asked.what =
        WeightAsked{command.words.at(1), static_cast<int64_t>(words::Number(command.words.at(2)))};
  } else if (what == "gone") {
    asked.what = MarkGoneAsked{model::AgentId(names_.Id(command.words.at(1)))};
  } else if (what == "data") {
    asked.what = DataAsked{model::AgentId(names_.Id(command.words.at(1)))};
  } else {
    asked.what = ExplainAsked{};
  }
  Turn({std::move(asked)});
}

void Stage::Show(const ScenarioCommand& command) {
  for (const auto& [key, text] : readers_) {
    for (const std::string& word : command.words) {
      if (absl::StartsWith(key, word) || absl::StrContains(names_.Rename(key), word)) {
        Say(text);
        break;
      }
    }
  }
}

void Stage::Perform(const ScenarioCommand& command, std::string* output) {
  output_ = output;
  const std::string& what = command.name;
  if (what == "master") {
    Begin(command);
  } else if (what == "agent") {
    Agent(command);
  } else if (what == "framework") {
    Framework(command);
  } else if (what == "connect") {
    Connect(command);
  } else if (what == "disconnect") {
    Disconnect(command.words.at(0));
  } else if (what == "silent") {
    const std::string& name = command.words.at(0);
    (agents_.count(name) > 0 ? AgentOf(name).silent : Scheduler(name).silent) = true;
  } else if (what == "turn") {
    // turn [+80s]: one turn, that much later; late, if something was due before.
    if (!command.words.empty()) now_ = now_ + words::Milliseconds(command.words[0].substr(1));
    Turn({});
  } else if (what == "run") {
    // run 80s: all turns that are due until then, in time.
    Run(words::Milliseconds(command.words.at(0)));
  } else if (what == "disk") {
    disk_stopped_ = command.words.at(0) == "stops";
    if (!disk_stopped_) Turn({});
  } else if (what == "failover") {
    // The master dies, and another takes over what was durable.
    core_.reset();
    outbox_ = Outbox<StreamId, Out>();
    not_durable_.clear();
    written_ = 0;
    disk_stopped_ = false;
    reactions_.clear();
    readers_.clear();
    for (auto& [name, agent] : agents_) agent.stream = 0;
    for (auto& [name, scheduler] : schedulers_) scheduler.stream = 0;
    ++config_.epoch;
    ++config_.seed;
    Turn({});
  } else if (what == "operator") {
    Operator(command);
  } else if (what == "show") {
    Show(command);
  } else if (!PerformCall(command) && !PerformOfAgent(command) && !PerformMore(command)) {
    Say(absl::StrCat("unknown command ", what));
  }
}

}  // namespace proffer::master
