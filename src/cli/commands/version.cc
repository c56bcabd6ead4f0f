// proffer version: of this program and of the master.
#include "cli/version.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/document.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

absl::StatusOr<int> Version(Session& session, bool client_only) {
  Context& context = session.context;
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  Node node = Node::Map();
  node.Set("client", Node::Text(kVersion));
  std::string master;
  absl::Status status;
  if (!client_only) {
    absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(context, session.globals);
    status = client.status();
    if (client.ok()) {
      const absl::StatusOr<v1::Cluster> cluster = (*client)->GetCluster();
      status = cluster.status();
      if (cluster.ok()) {
        const v1::Version& version = cluster->version();
        master = absl::StrCat(version.major(), ".", version.minor(), ".", version.patch());
        node.Set("master", Node::Text(master));
        node.Set("address", Node::Text((*client)->address()));
      }
    }
  }
  switch (format) {
    case Format::kTable:
    case Format::kWide:
      context.out << "proffer  " << kVersion << "\n";
      if (!master.empty()) {
        context.out << "master   " << master << "  at " << node.items.back().text << "\n";
      } else if (!client_only) {
        context.out << "master   " << status.message() << "\n";
      }
      break;
    case Format::kJson:
      context.out << ToJson(node);
      break;
    case Format::kYaml:
      context.out << ToYaml(node);
      break;
    case Format::kJsonLines:
      context.out << ToCompactJson(node) << "\n";
      break;
    case Format::kName:
      context.out << kVersion << "\n";
  }
  return kOk;
}

}  // namespace

void AddVersion(CLI::App& app, Session& session) {
  auto client_only = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("version", "The versions of this program and of the master");
  verb->group(kRestGroup);
  verb->add_flag("--client", *client_only, "Do not ask the master");
  AddGlobals(verb, session);
  verb->callback([&session, client_only] {
    session.action = [&session, client_only] { return Version(session, *client_only); };
  });
}

}  // namespace proffer::cli
