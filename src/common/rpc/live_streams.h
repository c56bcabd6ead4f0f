// How many streams of servers there are in this process, with those that their peer has reset but
// gRPC's threads have not come to yet: gRPC itself puts no bound to these.
#pragma once

#include <atomic>
#include <cstdint>

namespace proffer::rpc {

inline std::atomic<int64_t> live_streams = 0;

}  // namespace proffer::rpc
