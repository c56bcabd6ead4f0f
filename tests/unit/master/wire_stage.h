// A stage whose agents and schedulers may also say whatever fits on the wire: messages go the way
// they go in the master, through serialisation and conversion.
#pragma once

#include "unit/master/stage.h"

namespace proffer::v1 {
class SchedulerCall;
}

namespace proffer::master {

class WireStage final : public Stage {
 protected:
  // call FRAMEWORK TEXT            a SchedulerCall in protobuf's text format, strings in ''
  // message AGENT TEXT             an AgentMessage
  // many FRAMEWORK tasks=N         an accept of so many tasks
  // heavy FRAMEWORK bytes=N        a task with so much of labels
  // nonsense FRAMEWORK             a field that this build does not know
  bool PerformMore(const testing::ScenarioCommand& command) override;

 private:
  void Receive(FakeScheduler& scheduler, const std::string& bytes);
  void Receive(const std::string& name, FakeAgent& agent, const std::string& bytes);
};

}  // namespace proffer::master
