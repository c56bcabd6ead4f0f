#include "cli/app.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/style.h"
#include "cli/suggest.h"

namespace proffer::cli {
namespace {

constexpr char kFooter[] = R"(
Begin with:
  proffer dev                     a cluster on this machine, at once
  proffer run -- echo hello       run a command in it
  proffer COMMAND --help          all about one command

Exit codes: 0 ok, 1 unexpected, 2 usage, 3 not found, 4 conflict or ambiguous, 5 cannot be placed,
7 stopped watching, 8 no master answers, 9 not allowed. `run` exits as its command does, with
128+N for signal N and 125 for failures of its own.)";

int Complain(Context& context, int code, absl::string_view message) {
  context.err << Style::ForErr(context).Red("proffer:") << " " << message << "\n";
  return code;
}

std::vector<std::string> VerbsOf(const CLI::App& app) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(verb->get_name());
  }
  return verbs;
}

// The deepest verb that was named.
const CLI::App* Named(const CLI::App& app) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands()[0];
  return verb;
}

std::string PathOf(const CLI::App* verb) {
  if (verb->get_parent() == nullptr) return "proffer";
  return absl::StrCat(PathOf(verb->get_parent()), " ", verb->get_name());
}

}  // namespace

void AddGlobals(CLI::App* verb, Session& session, bool formats) {
  verb->add_option("--master", session.globals.master,
                   "Where the masters are: unix:/path, host:port (several by commas) or "
                   "zk://host:port/chroot; default: $PROFFER_MASTER, else what `proffer dev` wrote")
      ->group("Everywhere")
      ->type_name("ADDR");
  if (!formats) return;
  verb->add_option("-o,--output", session.globals.format, "table, wide, json, yaml, jsonl or name")
      ->group("Everywhere")
      ->type_name("FORMAT");
}

absl::StatusOr<bool> Confirm(Context& context, const std::string& question) {
  if (!context.in_is_tty) {
    return absl::InvalidArgumentError(absl::StrCat(
        "nobody is there to answer, so nothing was done; --yes says it without asking. ",
        "The question was: ", question));
  }
  context.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(context.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int RunProffer(Context& context, const std::vector<std::string>& arguments) {
  Session session{context, {}, {}, false, nullptr};
  // What stands after "--" is somebody else's.
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> ours(arguments.begin(), dashes);
  if (dashes != arguments.end()) {
    session.has_dashes = true;
    session.after_dashes.assign(dashes + 1, arguments.end());
  }

  CLI::App app("Proffer: a cluster that offers its machines to schedulers.", "proffer");
  app.set_help_flag("-h,--help", "This help");
  AddGlobals(&app, session);
  app.require_subcommand(0, 1);
  AddDev(app, session);
  AddRun(app, session);
  AddStatus(app, session);
  AddLs(app, session);
  AddLogs(app, session);
  AddWhy(app, session);
  AddEvents(app, session);
  AddKill(app, session);
  AddWeight(app, session);
  AddAgent(app, session);
  AddRegistry(app, session);
  AddVersion(app, session);
  AddCompletion(app, session);
  app.footer(kFooter);  // Last: verbs would take it over.

  if (!ours.empty() && ours[0] == "help") {
    ours.erase(ours.begin());
    ours.push_back("--help");
  }
  if (!ours.empty() && ours[0] == "--version") ours[0] = "version";
  if (!ours.empty() && ours[0][0] != '-') {
    const std::vector<std::string> verbs = VerbsOf(app);
    if (std::find(verbs.begin(), verbs.end(), ours[0]) == verbs.end()) {
      const std::string nearest = Nearest(ours[0], verbs);
      return Complain(
          context, kUsage,
          absl::StrCat("\"", ours[0], "\" is not a command",
                       nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?"),
                       nearest.empty() ? "; `proffer --help` lists them" : ""));
    }
  }
  try {
    std::vector<std::string> reversed(ours.rbegin(), ours.rend());
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    context.out << app.help();
    return kOk;
  } catch (const CLI::ParseError& error) {
    return Complain(context, Named(app)->get_name() == "run" ? kRunFailed : kUsage,
                    absl::StrCat(error.what(), "; see `", PathOf(Named(app)), " --help`"));
  }
  if (session.action == nullptr) {
    context.out << app.help();
    return app.get_subcommands().empty() ? kOk : kUsage;
  }
  if (session.has_dashes && Named(app)->get_name() != "run") {
    return Complain(context, kUsage,
                    absl::StrCat("`", PathOf(Named(app)), "` takes nothing after \"--\""));
  }
  const absl::StatusOr<int> code = session.action();
  if (code.ok()) return *code;
  return Complain(context, ExitCodeOf(code.status()), code.status().message());
}

}  // namespace proffer::cli
