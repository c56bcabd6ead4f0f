// The only place that makes gRPC channels.
#pragma once

#include <memory>

#include "common/base/limits.h"
#include "common/rpc/address.h"
#include "grpcpp/channel.h"

namespace proffer::rpc {

// A channel of its own connection (no shared subchannels), without HTTP proxy, that reconnects
// within 100 ms to 2 s, with keepalive and the message sizes of common/base/limits.h.
// `greeting_ms`: how long the server may take to greet on a new connection.
std::shared_ptr<grpc::Channel> MakeChannel(const Address& address,
                                           int64_t greeting_ms = limits::kGreetingMs);

}  // namespace proffer::rpc
