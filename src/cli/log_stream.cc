#include "cli/log_stream.h"

#include <algorithm>
#include <memory>

namespace proffer::cli {
namespace {

constexpr int64_t kFirstWindow = 64 << 10;
constexpr int64_t kLargestWindow = 16 << 20;

}  // namespace

absl::Status ReadLogCancellable(Client& client, grpc::ClientContext* call,
                                const LogRequest& request,
                                const std::function<bool(absl::string_view)>& take,
                                int64_t* first_offset) {
  v1::ReadLogsRequest read;
  read.set_framework_id(request.framework_id);
  read.set_task_id(request.task_id);
  read.set_stream(request.stream);
  read.set_offset(request.offset);
  read.set_follow(request.follow);
  const std::unique_ptr<grpc::ClientReader<v1::LogChunk>> reader =
      client.stub().ReadLogs(call, read);
  v1::LogChunk chunk;
  bool first = true;
  bool ended = false;
  while (reader->Read(&chunk)) {
    if (first && first_offset != nullptr) *first_offset = chunk.offset();
    first = false;
    if (!take(chunk.data())) {
      ended = true;
      call->TryCancel();
      break;
    }
  }
  const grpc::Status status = reader->Finish();
  return ended ? absl::OkStatus() : client.Explained(status);
}

absl::Status ReadLog(Client& client, const LogRequest& request,
                     const std::function<bool(absl::string_view)>& take, int64_t* first_offset) {
  grpc::ClientContext call;
  return ReadLogCancellable(client, &call, request, take, first_offset);
}

absl::StatusOr<int64_t> OffsetOfTail(Client& client, LogRequest request, int lines) {
  request.follow = false;
  for (int64_t window = kFirstWindow;; window = std::min(window * 4, kLargestWindow)) {
    request.offset = -window;
    std::string text;
    int64_t begin = 0;
    const absl::Status read = ReadLog(
        client, request,
        [&](absl::string_view piece) {
          text.append(piece.data(), piece.size());
          return true;
        },
        &begin);
    if (!read.ok()) return read;
    const int64_t end = begin + static_cast<int64_t>(text.size());
    if (lines <= 0) return end;
    // The newline at the very end closes the last line; it does not begin another.
    int found = 0;
    for (size_t i = text.size(); i > 0; --i) {
      if (text[i - 1] != '\n' || i == text.size()) continue;
      if (++found == lines) return begin + static_cast<int64_t>(i);
    }
    const bool whole = static_cast<int64_t>(text.size()) < window;
    if (begin == 0 || whole || window == kLargestWindow) return begin;
  }
}

}  // namespace proffer::cli
