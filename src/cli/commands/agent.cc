// proffer agent: what operators do to agents.
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/names.h"
#include "cli/output.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

struct Options {
  std::string agent;
  bool yes = false;
};

absl::StatusOr<int> Gone(Session& session, const Options& options) {
  Context& context = session.context;
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context, session.globals));
  ASSIGN_OR_RETURN(const std::vector<v1::Object> agents, client->List(v1::AGENTS));
  ASSIGN_OR_RETURN(const v1::Object object, Resolve(agents, options.agent));
  const v1::AgentView& agent = object.agent();
  if (!options.yes && agent.state() != v1::AGENT_GONE_STATE) {
    ASSIGN_OR_RETURN(
        const bool sure,
        Confirm(context,
                absl::StrCat("Declare agent ", agent.hostname(), " (", agent.agent_id(),
                             ") gone for ever? Its ", agent.tasks(),
                             agent.tasks() == 1 ? " task ends" : " tasks end",
                             " GONE_BY_OPERATOR, and it can never come back under this id.")));
    if (!sure) {
      context.err << "nothing was done\n";
      return kUnexpected;
    }
  }
  RETURN_IF_ERROR(client->MarkAgentGone(agent.agent_id()));
  if (IsForPeople(format)) {
    context.out << "agent " << agent.hostname() << " (" << agent.agent_id()
                << ") is gone; a proffer-agent with an empty work directory may take its place\n";
  } else {
    PrintOne(context.out, format, agent, agent.hostname());
  }
  return kOk;
}

}  // namespace

void AddAgent(CLI::App& app, Session& session) {
  CLI::App* agent = app.add_subcommand("agent", "Act on an agent");
  agent->group(kActGroup);
  agent->require_subcommand(0, 1);
  auto options = std::make_shared<Options>();
  CLI::App* verb = agent->add_subcommand(
      "gone", "Declare an agent gone for ever, so that its tasks are given up at once");
  verb->add_option("AGENT", options->agent, "Its name, id, or the beginning of either")->required();
  verb->add_flag("-y,--yes", options->yes, "Do not ask");
  AddGlobals(verb, session);
  verb->callback([&session, options] {
    session.action = [&session, options] { return Gone(session, *options); };
  });
}

}  // namespace proffer::cli
