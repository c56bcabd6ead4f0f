#include "unit/master/wire_stage.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/convert/agent.h"
#include "common/convert/scheduler.h"
#include "glog/logging.h"
#include "google/protobuf/text_format.h"
#include "unit/master/stage_words.h"

namespace proffer::master {
namespace {

template <typename Message>
Message FromText(const std::vector<std::string>& words) {
  Message message;
  const std::string text = absl::StrJoin(words.begin() + 1, words.end(), " ");
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

}  // namespace

// As stream_services.cc does it.
void WireStage::Receive(FakeScheduler& scheduler, const std::string& bytes) {
  v1::SchedulerCall call;
  CHECK(call.ParseFromString(bytes));
  absl::StatusOr<model::SchedulerCall> converted = convert::FromProto(call);
  if (!converted.ok()) {
    Turn({SchedulerSaidNonsense{scheduler.stream, call.call_id(),
                                std::string(converted.status().message())}});
  } else {
    Turn({SchedulerSaid{scheduler.stream, scheduler.principal, *std::move(converted)}});
  }
}

void WireStage::Receive(const std::string& name, FakeAgent& agent, const std::string& bytes) {
  v1::AgentMessage message;
  CHECK(message.ParseFromString(bytes));
  absl::StatusOr<model::AgentMessage> converted = convert::FromProto(message);
  if (!converted.ok()) {
    Say(absl::StrCat("-> ", name, ": error INVALID: ", converted.status().message(),
                     " (stream ends)"));
    Turn({AgentStreamClosed{std::exchange(agent.stream, 0)}});
  } else {
    Turn({AgentSaid{agent.stream, now(), *std::move(converted)}});
  }
}

bool WireStage::PerformMore(const testing::ScenarioCommand& command) {
  const std::string& what = command.name;
  if (what == "message") {
    Receive(command.words.at(0), AgentOf(command.words.at(0)),
            FromText<v1::AgentMessage>(command.words).SerializeAsString());
    return true;
  }
  if (what != "call" && what != "many" && what != "heavy" && what != "nonsense") return false;
  FakeScheduler& scheduler = Scheduler(command.words.at(0));
  v1::SchedulerCall call;
  if (what == "call") {
    call = FromText<v1::SchedulerCall>(command.words);
  } else if (what == "many") {
    call.mutable_accept()->add_offer_ids()->set_epoch(1);
    for (int64_t i = 0; i < words::Number(command.Option("tasks")); ++i) {
      call.mutable_accept()->add_tasks()->set_task_id(absl::StrCat("t", i));
    }
  } else if (what == "heavy") {
    call.mutable_accept()->add_offer_ids()->set_epoch(1);
    v1::TaskSpec* task = call.mutable_accept()->add_tasks();
    task->set_task_id("heavy");
    (*task->mutable_payload()->mutable_labels())["x"] =
        std::string(words::Number(command.Option("bytes")), 'x');
  }
  call.set_call_id(++scheduler.last_call);
  std::string bytes = call.SerializeAsString();
  if (what == "nonsense") bytes += std::string("\xfa\x7f\x03lol", 6);  // Field 2047.
  Receive(scheduler, bytes);
  return true;
}

}  // namespace proffer::master
