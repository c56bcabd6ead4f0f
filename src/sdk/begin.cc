// From options to a running driver.
#include "sdk/begin.h"

#include <utility>

#include "common/base/status.h"
#include "proffer/context.h"
#include "sdk/grpc_transport.h"
#include "sdk/translate.h"

namespace proffer::sdk {

absl::StatusOr<std::shared_ptr<LeaderFinder>> FindLeader(const FrameworkOptions& options) {
  ASSIGN_OR_RETURN(const std::string text, FindMaster(options.master));
  absl::StatusOr<std::unique_ptr<LeaderFinder>> leader = LeaderFinder::Make(text);
  if (!leader.ok()) return Annotate(leader.status(), "the address of the master");
  return *std::move(leader);
}

absl::StatusOr<std::unique_ptr<Driver>> MakeDriver(const FrameworkOptions& options,
                                                   std::optional<TaskQueue::Options> queue,
                                                   std::shared_ptr<LeaderFinder> leader,
                                                   Receiver* receiver) {
  ASSIGN_OR_RETURN(Config config, ToConfig(options));
  std::shared_ptr<StateStore> store = options.state_store;
  if (store == nullptr) store = std::make_shared<MemoryStateStore>();
  return Driver::Make(std::move(config), std::move(queue), std::move(store),
                      std::make_unique<GrpcTransport>(std::move(leader)), receiver);
}

}  // namespace proffer::sdk
