// Reads the end of a task's output through the operator API.
#include "sdk/task_output.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/leader_hint.h"
#include "grpcpp/client_context.h"
#include "proffer/v1/operator.grpc.pb.h"

namespace proffer {
namespace {

constexpr int64_t kLongestMs = 10'000;
constexpr int kMostTries = 6;  // Three masters, and what they say of each other.

absl::StatusOr<std::string> ReadTail(const Result& result, v1::LogStream stream,
                                     int64_t max_bytes) {
  if (result.source == nullptr || result.launches == 0 || result.task_id.empty()) {
    return absl::NotFoundError("the task was never launched");
  }
  const auto deadline = rpc::DeadlineIn(kLongestMs);
  LeaderFinder& leader = *result.source->leader;
  absl::Status status = absl::UnavailableError("no master is known to lead");
  for (int tries = 0; tries < kMostTries; ++tries) {
    const std::optional<rpc::Address> master = leader.Await(kLongestMs);
    if (!master) break;
    const auto stub = v1::OperatorService::NewStub(rpc::MakeChannel(*master));
    grpc::ClientContext context;
    context.set_deadline(deadline);
    v1::ReadLogsRequest request;
    request.set_framework_id(result.source->framework_id);
    request.set_task_id(result.task_id);
    request.set_stream(stream);
    request.set_offset(-std::max<int64_t>(max_bytes, 1));
    const auto reader = stub->ReadLogs(&context, request);
    std::string text;
    v1::LogChunk chunk;
    while (reader->Read(&chunk)) text += chunk.data();
    status = rpc::FromGrpc(reader->Finish());
    if (status.ok()) return text;
    if (!absl::IsUnavailable(status)) break;
    // Another master may lead.
    leader.Redirected(*master, rpc::LeaderHint(context));
  }
  return status;
}

}  // namespace

absl::StatusOr<std::string> Result::Stdout(int64_t max_bytes) const {
  return ReadTail(*this, v1::STDOUT, max_bytes);
}

absl::StatusOr<std::string> Result::Stderr(int64_t max_bytes) const {
  return ReadTail(*this, v1::STDERR, max_bytes);
}

int Result::ExitStatus() const {
  if (exit_code) return *exit_code;
  if (signal) return 128 + *signal;
  return ok() ? 0 : 125;
}

}  // namespace proffer
