// proffer why: what a task or framework waits for, and what would help.
#include <memory>

#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/funnel.h"
#include "cli/output.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

absl::StatusOr<int> Why(Session& session, const std::string& subject) {
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client,
                   Client::Connect(session.context, session.globals));
  ASSIGN_OR_RETURN(const v1::ExplainResponse explanation, client->Explain(subject));
  if (IsForPeople(format)) {
    PrintExplanation(session.context.out, Style::ForOut(session.context), explanation);
  } else {
    PrintOne(session.context.out, format, explanation,
             explanation.has_task() ? explanation.task().task_id() : explanation.framework_name());
  }
  return kOk;
}

}  // namespace

void AddWhy(CLI::App& app, Session& session) {
  auto subject = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("why", "Say why a task or framework waits, or how it ended");
  verb->group(kLookGroup);
  verb->add_option("NAME", *subject, "A task or framework: name, id, or the beginning of either")
      ->required();
  AddGlobals(verb, session);
  verb->callback([&session, subject] {
    session.action = [&session, subject] { return Why(session, *subject); };
  });
}

}  // namespace proffer::cli
