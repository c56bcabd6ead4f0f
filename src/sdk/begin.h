// What both kinds of framework do at their start.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/leader/leader_finder.h"
#include "proffer/options.h"
#include "sdk/driver.h"

namespace proffer::sdk {

// The way to the masters that the options name, by whatever way. NOT_FOUND, INVALID_ARGUMENT.
absl::StatusOr<std::shared_ptr<LeaderFinder>> FindLeader(const FrameworkOptions& options);
// A driver over gRPC, not begun yet.
absl::StatusOr<std::unique_ptr<Driver>> MakeDriver(const FrameworkOptions& options,
                                                   std::optional<TaskQueue::Options> queue,
                                                   std::shared_ptr<LeaderFinder> leader,
                                                   Receiver* receiver);

}  // namespace proffer::sdk
