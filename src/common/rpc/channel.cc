#include "common/rpc/channel.h"

#include <new>

#include "common/base/limits.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/channel_arguments.h"
#include "grpcpp/support/stub_options.h"

namespace proffer::rpc {
namespace {

// Packaged gRPC runs callbacks on a queue that lives as long as any channel uses it, and crashes
// when the last channel is let go of by one of that queue's own threads. One channel that is never
// let go of keeps the queue for the life of the process.
void KeepCallbackQueue() {
  struct Kept {
    std::shared_ptr<grpc::Channel> channel =
        grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials());
    grpc::GenericStub stub{channel};
    grpc::ClientContext context;
    grpc::Slice nothing{""};
    grpc::ByteBuffer request{&nothing, 1};
    grpc::ByteBuffer response;
  };
  // Constructed once in place and never destroyed.
  alignas(Kept) static char place[sizeof(Kept)];
  static const bool done = [] {
    Kept* kept = new (place) Kept();
    // Any call makes the channel take its share in the queue; this one fails at once.
    kept->stub.UnaryCall(&kept->context, "/none", grpc::StubOptions(), &kept->request,
                         &kept->response, [](const grpc::Status&) {});
    return true;
  }();
  (void)done;
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const Address& address, int64_t greeting_ms) {
  KeepCallbackQueue();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // How long an attempt may take, in spite of its name.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(greeting_ms));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(limits::kMessageBytes);
  arguments.SetMaxSendMessageSize(limits::kMessageBytes);
  return grpc::CreateCustomChannel(address.target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace proffer::rpc
