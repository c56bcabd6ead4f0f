// What a master serves while it does not lead: every call, of whatever service, is answered with
// who does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/rpc/server.h"
#include "grpcpp/generic/async_generic_service.h"

namespace proffer::master {

// THREAD: any.
class Standby {
 public:
  // Serves from the moment it returns; health says NOT_SERVING.
  static absl::StatusOr<std::unique_ptr<Standby>> Start(rpc::Listeners listeners,
                                                        const rpc::ServerLimits& limits);
  ~Standby();

  // Serves no more; whoever connects waits for the server that is given these.
  rpc::Listeners Release();

  // Where the leader is to be found; empty: it is not known.
  void SetLeader(std::vector<rpc::Address> leader);

 private:
  class Answers final : public grpc::CallbackGenericService {
   public:
    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override;
    void SetLeader(std::vector<rpc::Address> leader);

   private:
    Mutex mutex_;
    std::vector<rpc::Address> leader_ GUARDED_BY_MUTEX(mutex_);
  };

  Standby() = default;

  Answers answers_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace proffer::master
