// proffer ls: one kind of object in a table.
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/describe.h"
#include "cli/exit_code.h"
#include "cli/names.h"
#include "cli/output.h"
#include "cli/suggest.h"
#include "cli/views.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

struct Options {
  std::string what;
  bool all = false;
  std::string framework;
};

absl::StatusOr<v1::Kind> ParseKind(const std::string& text) {
  const std::vector<std::string> words = {"agents", "frameworks", "roles", "offers", "tasks"};
  static constexpr v1::Kind kKinds[] = {v1::AGENTS, v1::FRAMEWORKS, v1::ROLES, v1::OFFERS,
                                        v1::TASKS};
  for (size_t i = 0; i < words.size(); ++i) {
    if (text == words[i] || absl::StrCat(text, "s") == words[i]) return kKinds[i];
  }
  const std::string nearest = Nearest(text, words);
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" cannot be listed",
      nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?"),
      nearest.empty() ? "; there" : " There", " are agents, frameworks, roles, offers and tasks"));
}

const char* NothingThere(v1::Kind kind) {
  switch (kind) {
    case v1::AGENTS:
      return "no agents; a proffer-agent that names this master by --master joins by itself";
    case v1::FRAMEWORKS:
      return "no frameworks; `proffer run -- COMMAND` is one as long as it runs";
    case v1::TASKS:
      return "no tasks run; `proffer ls tasks --all` shows ended ones too";
    case v1::OFFERS:
      return "no offers are open; `proffer why FRAMEWORK` says why one gets none";
    default:
      return "no roles are in use";
  }
}

absl::StatusOr<int> Ls(Session& session, const Options& options) {
  Context& context = session.context;
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  ASSIGN_OR_RETURN(const v1::Kind kind, ParseKind(options.what));
  if (!options.framework.empty() && kind != v1::TASKS && kind != v1::OFFERS) {
    return absl::InvalidArgumentError("--framework goes with tasks and offers only");
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context, session.globals));
  std::string framework_id;
  if (!options.framework.empty()) {
    ASSIGN_OR_RETURN(const std::vector<v1::Object> frameworks, client->List(v1::FRAMEWORKS));
    ASSIGN_OR_RETURN(const v1::Object framework, Resolve(frameworks, options.framework));
    framework_id = framework.framework().framework_id();
  }
  ASSIGN_OR_RETURN(std::vector<v1::Object> objects,
                   client->List(kind, kind == v1::TASKS && !options.all, framework_id));
  if (kind == v1::TASKS) SortTasks(&objects);
  if (kind == v1::TASKS && format != Format::kTable && format != Format::kName) {
    client->AddUsage(&objects);
  }
  if (kind == v1::AGENTS) {
    if (!options.all) {
      objects.erase(std::remove_if(objects.begin(), objects.end(),
                                   [](const v1::Object& object) {
                                     return object.agent().state() == v1::AGENT_GONE_STATE;
                                   }),
                    objects.end());
    }
    std::stable_sort(objects.begin(), objects.end(), [](const v1::Object& a, const v1::Object& b) {
      return a.agent().hostname() < b.agent().hostname();
    });
  }
  if (!IsForPeople(format)) {
    PrintList(context.out, format, objects);
    return kOk;
  }
  if (objects.empty()) {
    context.err << NothingThere(kind) << "\n";
    return kOk;
  }
  TableOf(kind, objects, format == Format::kWide, context.unix_now_ms())
      .Print(context.out, Style::ForOut(context));
  return kOk;
}

}  // namespace

void AddLs(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("ls", "List agents, frameworks, roles, offers or tasks");
  verb->group(kLookGroup);
  verb->add_option("WHAT", options->what, "agents, frameworks, roles, offers or tasks")->required();
  verb->add_flag("-a,--all", options->all, "Ended tasks and gone agents too");
  verb->add_option("-f,--framework", options->framework, "Tasks and offers of that one only")
      ->type_name("FRAMEWORK");
  AddGlobals(verb, session);
  verb->callback([&session, options] {
    session.action = [&session, options] { return Ls(session, *options); };
  });
}

}  // namespace proffer::cli
