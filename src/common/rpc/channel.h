// The only place that makes gRPC channels.
#pragma once

#include <memory>

#include "common/rpc/address.h"
#include "grpcpp/channel.h"

namespace proffer::rpc {

// A channel of its own connection (no shared subchannels), without HTTP proxy, that reconnects
// within 100 ms to 2 s, with keepalive and the message sizes of common/base/limits.h.
std::shared_ptr<grpc::Channel> MakeChannel(const Address& address);

}  // namespace proffer::rpc
