// The only place that makes gRPC servers: message and metadata sizes, keepalive, the standard
// health service and reflection, and our own accept loop.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/limits.h"
#include "common/rpc/acceptor.h"
#include "common/rpc/address.h"
#include "common/rpc/live_streams.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace proffer::rpc {

// What a server bears from its peers.
struct ServerLimits {
  int64_t max_connections = 0;  // 0: limits::kConnections, or as many as there are descriptors for.
  int64_t connections_of_peer = limits::kConnectionsPerPeer;  // Once half of them are taken.
  int64_t connects_of_peer = limits::kConnectsPerPeer;        // A second, in the long run.
  int64_t patience_ms = limits::kPatienceMs;    // From connecting to the first word of HTTP/2.
  int64_t idle_ms = limits::kIdleConnectionMs;  // A connection without a call.
};

class Server {
 public:
  // Serves from the moment it returns. `services` outlive it, and so does `others`, which is asked
  // for whatever none of them knows.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::vector<Address>& addresses,
                                                       const std::vector<grpc::Service*>& services);
  static absl::StatusOr<std::unique_ptr<Server>> Start(Listeners listeners,
                                                       const std::vector<grpc::Service*>& services,
                                                       const ServerLimits& limits = {},
                                                       grpc::CallbackGenericService* others = {});
  ~Server();

  // What it listens on.
  std::vector<Address> addresses() const;
  void SetServing(bool serving);
  // Takes no more connections, and cuts those that are left after `grace_ms`.
  void Shutdown(int64_t grace_ms);
  // The same, but new connections wait for the server that is given what is returned.
  Listeners Release(int64_t grace_ms);

 private:
  Server() = default;

  Listeners listeners_;
  std::shared_ptr<const LiveStream::OnStorm> on_storm_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace proffer::rpc
