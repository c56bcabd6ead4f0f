// The verbs: each adds itself to the program and leaves its action in the session when named.
#pragma once

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "cli/context.h"

namespace proffer::cli {

// The parts of the help.
inline constexpr char kStartGroup[] = "Run things";
inline constexpr char kLookGroup[] = "Look";
inline constexpr char kActGroup[] = "Act on the cluster";
inline constexpr char kRestGroup[] = "Besides";

// Adds --master and, if `formats`, -o to a verb.
void AddGlobals(CLI::App* verb, Session& session, bool formats = true);

void AddDev(CLI::App& app, Session& session);
void AddRun(CLI::App& app, Session& session);
void AddStatus(CLI::App& app, Session& session);
void AddLs(CLI::App& app, Session& session);
void AddLogs(CLI::App& app, Session& session);
void AddKill(CLI::App& app, Session& session);
void AddWhy(CLI::App& app, Session& session);
void AddEvents(CLI::App& app, Session& session);
void AddWeight(CLI::App& app, Session& session);
void AddAgent(CLI::App& app, Session& session);
void AddRegistry(CLI::App& app, Session& session);
void AddVersion(CLI::App& app, Session& session);
void AddCompletion(CLI::App& app, Session& session);

// Asks on the terminal. Without one: INVALID_ARGUMENT, which says to use --yes.
absl::StatusOr<bool> Confirm(Context& context, const std::string& question);

}  // namespace proffer::cli
