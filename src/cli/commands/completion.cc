// proffer completion: what a shell needs to complete verbs, options and live names.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

struct Verb {
  std::string name;
  std::string description;
  std::vector<std::string> options;
  std::vector<std::string> words;  // What may stand as its argument, where that is fixed.
  std::string names;               // Commands that print what may stand there.
};

std::vector<Verb> VerbsOf(const CLI::App& app) {
  std::vector<Verb> verbs;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    Verb verb;
    verb.name = sub->get_name();
    verb.description = sub->get_description();
    for (const CLI::Option* option : sub->get_options()) {
      for (const std::string& name : option->get_lnames()) verb.options.push_back("--" + name);
      for (const std::string& name : option->get_snames()) verb.options.push_back("-" + name);
    }
    for (const CLI::App* below : sub->get_subcommands([](const CLI::App*) { return true; })) {
      verb.words.push_back(below->get_name());
    }
    if (verb.name == "ls") verb.words = {"agents", "frameworks", "roles", "offers", "tasks"};
    if (verb.name == "completion") verb.words = {"bash", "zsh", "fish"};
    const std::string tasks = "proffer ls tasks -o name";
    const std::string frameworks = "proffer ls frameworks -o name";
    const std::string agents = "proffer ls agents -o name";
    if (verb.name == "logs") verb.names = tasks + " --all";
    if (verb.name == "kill" || verb.name == "why") verb.names = tasks + "; " + frameworks;
    if (verb.name == "status") verb.names = tasks + "; " + frameworks + "; " + agents;
    if (verb.name == "agent") verb.names = agents;
    if (verb.name == "weight") verb.names = "proffer ls roles -o name";
    verbs.push_back(std::move(verb));
  }
  return verbs;
}

std::vector<std::string> NamesOf(const std::vector<Verb>& verbs) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.push_back(verb.name);
  return names;
}

// Names come from the cluster, which may be slow: at most 0.3 s are spent on them.
std::string Live(const std::string& commands) {
  return absl::StrCat("$(timeout 0.3 sh -c '", commands, "' 2>/dev/null)");
}

std::string Bash(const std::vector<Verb>& verbs) {
  std::string out =
      absl::StrCat(R"(# Completion of proffer for bash: source <(proffer completion bash)
_proffer() {
  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words= options=
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ")",
                   absl::StrJoin(NamesOf(verbs), " "), R"(" -- "$word"))
    return
  fi
  if [ "${COMP_WORDS[COMP_CWORD-1]}" = "-o" ]; then
    COMPREPLY=($(compgen -W "table wide json yaml jsonl name" -- "$word"))
    return
  fi
  case $verb in
)");
  for (const Verb& verb : verbs) {
    absl::StrAppend(&out, "    ", verb.name, ") options=\"", absl::StrJoin(verb.options, " "),
                    "\"; words=\"", absl::StrJoin(verb.words, " "), "\"");
    if (!verb.names.empty()) {
      absl::StrAppend(&out, "\n      case $word in -*) ;; *) words=\"$words ", Live(verb.names),
                      "\" ;; esac");
    }
    out += " ;;\n";
  }
  return out + R"(  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
  esac
}
complete -o default -F _proffer proffer
)";
}

std::string Zsh(const std::vector<Verb>& verbs) {
  std::string out =
      "#compdef proffer\n# Completion of proffer for zsh: "
      "source <(proffer completion zsh)\n_proffer() {\n  local -a verbs\n"
      "  verbs=(\n";
  for (const Verb& verb : verbs) {
    absl::StrAppend(&out, "    '", verb.name, ":",
                    absl::StrReplaceAll(verb.description, {{"'", "'\\''"}, {":", "\\:"}}), "'\n");
  }
  out +=
      "  )\n  if (( CURRENT == 2 )); then _describe command verbs; return; fi\n"
      "  if [[ $words[CURRENT-1] == -o ]]; then\n"
      "    compadd table wide json yaml jsonl name; return\n  fi\n"
      "  local verb=${words[2]} current=${words[CURRENT]}\n  case $verb in\n";
  for (const Verb& verb : verbs) {
    absl::StrAppend(&out, "    ", verb.name, ")\n      if [[ $current == -* ]]; then compadd -- ",
                    absl::StrJoin(verb.options, " "), "; return; fi\n");
    if (!verb.words.empty()) {
      absl::StrAppend(&out, "      compadd ", absl::StrJoin(verb.words, " "), "\n");
    }
    if (!verb.names.empty()) {
      absl::StrAppend(&out, "      compadd -- ${(f)\"", Live(verb.names), "\"}\n");
    }
    if (verb.words.empty() && verb.names.empty()) out += "      _files\n";
    out += "      ;;\n";
  }
  return out + "  esac\n}\ncompdef _proffer proffer\n";
}

std::string Fish(const std::vector<Verb>& verbs) {
  std::string out =
      "# Completion of proffer for fish: proffer completion fish | source\n"
      "complete -c proffer -f\n";
  for (const Verb& verb : verbs) {
    const std::string seen =
        absl::StrCat("complete -c proffer -n '__fish_seen_subcommand_from ", verb.name, "'");
    absl::StrAppend(&out, "complete -c proffer -n __fish_use_subcommand -a ", verb.name, " -d '",
                    absl::StrReplaceAll(verb.description, {{"'", "\\'"}}), "'\n");
    for (const std::string& option : verb.options) {
      absl::StrAppend(&out, seen,
                      option[1] == '-' ? absl::StrCat(" -l ", option.substr(2))
                                       : absl::StrCat(" -s ", option.substr(1)),
                      "\n");
    }
    if (!verb.words.empty()) {
      absl::StrAppend(&out, seen, " -a '", absl::StrJoin(verb.words, " "), "'\n");
    }
    if (!verb.names.empty()) {
      absl::StrAppend(&out, seen, " -a '(timeout 0.3 sh -c \"", verb.names, "\" 2>/dev/null)'\n");
    }
  }
  return out;
}

}  // namespace

void AddCompletion(CLI::App& app, Session& session) {
  auto shell = std::make_shared<std::string>();
  CLI::App* verb =
      app.add_subcommand("completion", "Print what a shell needs to complete commands");
  verb->group(kRestGroup);
  verb->add_option("SHELL", *shell, "bash, zsh or fish")->required();
  verb->callback([&app, &session, shell] {
    session.action = [&app, &session, shell]() -> absl::StatusOr<int> {
      const std::vector<Verb> verbs = VerbsOf(app);
      if (*shell == "bash") {
        session.context.out << Bash(verbs);
      } else if (*shell == "zsh") {
        session.context.out << Zsh(verbs);
      } else if (*shell == "fish") {
        session.context.out << Fish(verbs);
      } else {
        return absl::InvalidArgumentError(absl::StrCat("no completion for \"", *shell,
                                                       "\"; there is one for bash, zsh and fish"));
      }
      return kOk;
    };
  });
}

}  // namespace proffer::cli
