#include "agent/explain_launch.h"

#include <google/protobuf/util/json_util.h>
#include <poll.h>

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/launcher_link.h"
#include "common/base/status.h"
#include "common/convert/task.h"
#include "isolator/pipeline.h"
#include "proffer/v1/task.pb.h"

namespace proffer::agent {
namespace {

constexpr int kAnswerMs = 1'000;

absl::StatusOr<std::string> ReadSpec(const std::string& spec) {
  if (spec[0] != '@') return spec;
  std::ifstream file(spec.substr(1));
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("--explain_launch: ", spec.substr(1), " cannot be read"));
  }
  return text.str();
}

absl::StatusOr<isolator::MachineFacts> AskLauncher(const std::string& socket) {
  LauncherLink link(socket);
  std::vector<LauncherLink::Answer> answers;
  if (link.Connect()) {
    pollfd wait = {link.fd(), POLLIN, 0};
    while (!link.ready() && poll(&wait, 1, kAnswerMs) > 0 && link.Serve(&answers)) continue;
  }
  if (link.ready()) return link.facts();
  return absl::UnavailableError(
      absl::StrCat("no launcher answers at ", socket, "; start proffer-launcher first"));
}

}  // namespace

absl::StatusOr<std::string> ExplainLaunch(const Runner::Options& options, const std::string& spec) {
  ASSIGN_OR_RETURN(const std::string json, ReadSpec(spec));
  v1::TaskSpec message;
  const google::protobuf::util::Status parsed =
      google::protobuf::util::JsonStringToMessage(json, &message);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--explain_launch: expected a proffer.v1.TaskSpec as JSON, as in "
                     "{\"resources\": [{\"name\": \"cpus\", \"scalar\": 1000}], "
                     "\"payload\": {\"command\": {\"argv\": [\"true\"]}}}; ",
                     std::string(parsed.message())));
  }
  if (message.task_id().empty()) message.set_task_id("example");
  model::LaunchTask order;
  ASSIGN_OR_RETURN(order.task, convert::FromProto(message));
  order.framework = model::FrameworkId("example");
  order.attempt = {1, 1};
  ASSIGN_OR_RETURN(isolator::MachineFacts facts, AskLauncher(options.launcher_socket));
  facts = Runner::FactsFor(options, std::move(facts));
  const std::string sandbox = absl::StrCat(options.work_dir, "/sandboxes/example/",
                                           message.task_id(), "/", order.attempt.ToString());
  ASSIGN_OR_RETURN(const isolator::LaunchPlan plan,
                   Runner::PlanLaunch(options, facts, order, model::AgentId("example"), sandbox));
  return isolator::Print(plan, facts);
}

}  // namespace proffer::agent
