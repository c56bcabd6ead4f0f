// proffer weight: how much a role counts beside its siblings.
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/client.h"
#include "cli/commands/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "common/base/status.h"
#include "proffer/quantity.h"
#include "proffer/resources.h"

namespace proffer::cli {
namespace {

struct Options {
  std::string role;
  std::string weight;
};

absl::StatusOr<int> Weight(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(const Format format, ParseFormat(session.globals.format));
  RETURN_IF_ERROR(ValidateRole(options.role));
  const absl::StatusOr<int64_t> weight = ParseScalar(kCpus, options.weight);
  if (!weight.ok() || *weight < 1 || *weight > 1'000'000'000) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weight \"", options.weight,
                     "\" is not a number from 0.001 to 1000000 with at most 3 decimals"));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client,
                   Client::Connect(session.context, session.globals));
  RETURN_IF_ERROR(client->SetRoleWeight(options.role, *weight));
  if (IsForPeople(format)) {
    session.context.out << "role " << options.role << " has weight " << PrintScalar(kCpus, *weight)
                        << " now\n";
    return kOk;
  }
  v1::SetRoleWeightRequest done;
  done.set_role(options.role);
  done.set_weight_thousandths(*weight);
  PrintOne(session.context.out, format, done, options.role);
  return kOk;
}

}  // namespace

void AddWeight(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "weight", "Say how much a role counts: twice the weight, twice the fair share");
  verb->group(kActGroup);
  verb->add_option("ROLE", options->role, "The role, for instance eng/prod")->required();
  verb->add_option("WEIGHT", options->weight, "From 0.001 to 1000000; 1 unless set")->required();
  AddGlobals(verb, session);
  verb->callback([&session, options] {
    session.action = [&session, options] { return Weight(session, *options); };
  });
}

}  // namespace proffer::cli
