// What both kinds of framework do at their start.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/address.h"
#include "proffer/options.h"
#include "sdk/driver.h"

namespace proffer::sdk {

// The masters that the options name, by whatever way. NOT_FOUND, INVALID_ARGUMENT.
absl::StatusOr<std::vector<rpc::Address>> Masters(const FrameworkOptions& options);
// A driver over gRPC, not begun yet.
absl::StatusOr<std::unique_ptr<Driver>> MakeDriver(const FrameworkOptions& options,
                                                   std::optional<TaskQueue::Options> queue,
                                                   const std::vector<rpc::Address>& masters,
                                                   Receiver* receiver);

}  // namespace proffer::sdk
