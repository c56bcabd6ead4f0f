#include "common/rpc/server.h"

#include <utility>

#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/rpc/deadline.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"

namespace proffer::rpc {

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const std::vector<Address>& addresses,
                                                      const std::vector<grpc::Service*>& services) {
  ASSIGN_OR_RETURN(Listeners listeners, Listen(addresses));
  return Start(std::move(listeners), services);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Listeners listeners,
                                                      const std::vector<grpc::Service*>& services,
                                                      grpc::CallbackGenericService* others) {
  std::unique_ptr<Server> server(new Server());
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(limits::kMessageBytes);
  builder.SetMaxSendMessageSize(limits::kMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, limits::kMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  server->listeners_ = std::move(listeners);
  for (auto& acceptor : server->listeners_) acceptor->AttachTo(builder);
  for (grpc::Service* service : services) builder.RegisterService(service);
  if (others != nullptr) builder.RegisterCallbackGenericService(others);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) {
    return absl::InternalError("the gRPC server did not start; its log says why");
  }
  for (auto& acceptor : server->listeners_) acceptor->Run();
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
