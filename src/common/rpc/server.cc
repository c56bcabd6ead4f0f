#include "common/rpc/server.h"

#include <glog/logging.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/rpc/deadline.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"

namespace proffer::rpc {
namespace {

int AsInt(int64_t ms) { return static_cast<int>(std::min<int64_t>(ms, INT_MAX)); }

std::shared_ptr<ConnectionTable> MakeTable(const ServerLimits& limits) {
  const size_t wanted = limits.max_connections > 0 ? static_cast<size_t>(limits.max_connections)
                                                   : limits::kConnections;
  return std::make_shared<ConnectionTable>(ConnectionTable::Limits{
      std::min(wanted, PlacesForConnections()),
      static_cast<size_t>(limits.connections_of_peer),
      {limits.connects_of_peer * limits::kConnectBurstSeconds, limits.connects_of_peer}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const std::vector<Address>& addresses,
                                                      const std::vector<grpc::Service*>& services) {
  ASSIGN_OR_RETURN(Listeners listeners, Listen(addresses));
  return Start(std::move(listeners), services);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Listeners listeners,
                                                      const std::vector<grpc::Service*>& services,
                                                      const ServerLimits& limits,
                                                      grpc::CallbackGenericService* others) {
  std::unique_ptr<Server> server(new Server());
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(limits::kMessageBytes);
  builder.SetMaxSendMessageSize(limits::kMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits::kMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits::kStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, AsInt(limits.patience_ms));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, AsInt(limits.idle_ms));
  // Also without a call: whoever has greeted and is no more is found out.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  // What one peer has sent is worked off between two looks at the others: the 4 MB that gRPC reads
  // at most by itself can be 300,000 small frames, with which a thread is busy for seconds.
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, limits::kReadBytes);
  server->listeners_ = std::move(listeners);
  for (auto& acceptor : server->listeners_) acceptor->AttachTo(builder);
  for (grpc::Service* service : services) builder.RegisterService(service);
  if (others != nullptr) builder.RegisterCallbackGenericService(others);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::InternalError("the gRPC server did not start; its log says why");
  }
  const std::shared_ptr<ConnectionTable> connections = MakeTable(limits);
  for (auto& acceptor : server->listeners_) acceptor->Run(connections);
  server->on_storm_ = LiveStream::Watch([connections](const std::string& one) {
    if (!connections->HangUpOnStorm(one, BootTimeNow())) return;
    LOG_EVERY_N(WARNING, 100) << "hung up on " << one << ", which opens streams again and again";
  });
  return server;
}

Server::~Server() { Shutdown(0); }

std::vector<Address> Server::addresses() const {
  std::vector<Address> addresses;
  for (const auto& acceptor : listeners_) addresses.push_back(acceptor->address());
  return addresses;
}

void Server::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
}

void Server::Shutdown(int64_t grace_ms) { Release(grace_ms).clear(); }

Listeners Server::Release(int64_t grace_ms) {
  if (server_ == nullptr) return {};
  for (auto& acceptor : listeners_) acceptor->Stop();
  server_->Shutdown(DeadlineIn(grace_ms));
  server_.reset();
  return std::exchange(listeners_, {});
}

}  // namespace proffer::rpc
