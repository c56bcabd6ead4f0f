// From options to a running driver.
#include "sdk/begin.h"

#include <utility>

#include "common/base/status.h"
#include "proffer/context.h"
#include "sdk/grpc_transport.h"
#include "sdk/translate.h"

namespace proffer::sdk {

absl::StatusOr<std::vector<rpc::Address>> Masters(const FrameworkOptions& options) {
  ASSIGN_OR_RETURN(const std::string text, FindMaster(options.master));
  absl::StatusOr<std::vector<rpc::Address>> masters = rpc::ParseAddresses(text);
  if (!masters.ok()) return Annotate(masters.status(), "the address of the master");
  return masters;
}

absl::StatusOr<std::unique_ptr<Driver>> MakeDriver(const FrameworkOptions& options,
                                                   std::optional<TaskQueue::Options> queue,
                                                   const std::vector<rpc::Address>& masters,
                                                   Receiver* receiver) {
  ASSIGN_OR_RETURN(Config config, ToConfig(options));
  std::shared_ptr<StateStore> store = options.state_store;
  if (store == nullptr) store = std::make_shared<MemoryStateStore>();
  return Driver::Make(std::move(config), std::move(queue), std::move(store),
                      std::make_unique<GrpcTransport>(masters), receiver);
}

}  // namespace proffer::sdk
