#include "common/auth/authorize.h"

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proffer/v1/authz.pb.h"

namespace proffer::auth {
namespace {

// The policy until principals of other kinds exist: whoever reaches our socket may do whatever is
// annotated.
absl::Status Decide(const Principal& principal, const v1::Authz& authz, absl::string_view what) {
  if (authz.action().empty() || authz.object() == v1::OBJECT_KIND_UNSPECIFIED) {
    return absl::PermissionDeniedError(
        absl::StrCat(what, " carries no authorisation and is refused to everybody"));
  }
  if (absl::StartsWith(principal.name, "local:") || principal.name == "insecure") {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat("principal \"", principal.name, "\" may not ", authz.action()));
}

}  // namespace

Principal LocalPrincipal() { return {absl::StrCat("local:", geteuid())}; }

absl::Status Authorize(const Principal& principal, const google::protobuf::MethodDescriptor& method,
                       const google::protobuf::Message&) {
  return Decide(principal, method.options().GetExtension(v1::authz), method.full_name());
}

absl::Status AuthorizeArm(const Principal& principal, const google::protobuf::Message& message) {
  const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
  if (descriptor.oneof_decl_count() == 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(descriptor.full_name(), " has no arms and is refused to everybody"));
  }
  const google::protobuf::FieldDescriptor* arm =
      message.GetReflection()->GetOneofFieldDescriptor(message, descriptor.oneof_decl(0));
  if (arm == nullptr) return absl::OkStatus();
  return Decide(principal, arm->options().GetExtension(v1::arm_authz), arm->full_name());
}

}  // namespace proffer::auth
