// Who may do what: the one function that every unary handler and every message of a stream goes
// through. What carries no annotation is refused.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace proffer::auth {

// Who is on the other end. Until there are certificates: "local:<uid>" of a unix socket's owner,
// or "insecure" of a loopback connection.
struct Principal {
  std::string name;
};

// The principal of whoever could open a connection to this process's own unix socket.
Principal LocalPrincipal();

// PERMISSION_DENIED, saying which action was not allowed to whom.
absl::Status Authorize(const Principal& principal, const google::protobuf::MethodDescriptor& method,
                       const google::protobuf::Message& request);
// The same for one message of a stream: `message` has exactly one oneof, whose arm that is set
// says what it does. No arm set: allowed, the receiver says what it thinks of it.
absl::Status AuthorizeArm(const Principal& principal, const google::protobuf::Message& message);

}  // namespace proffer::auth
