// A task's output, read from the master: streams are merged line by line onto ours.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/client.h"

namespace proffer::cli {

struct LogRequest {
  std::string framework_id;
  std::string task_id;
  v1::LogStream stream = v1::STDOUT;
  int64_t offset = 0;  // Negative: that many bytes before the end.
  bool follow = false;
};

// Gives each piece to `take` as it comes; false from it ends the reading. `first_offset`, if not
// null, is set to where the first piece began.
absl::Status ReadLog(Client& client, const LogRequest& request,
                     const std::function<bool(absl::string_view)>& take,
                     int64_t* first_offset = nullptr);

// The same, and `context_made` hears of the call's context, so that another thread may cancel it.
absl::Status ReadLogCancellable(Client& client, grpc::ClientContext* call,
                                const LogRequest& request,
                                const std::function<bool(absl::string_view)>& take,
                                int64_t* first_offset = nullptr);

// From where on the last `lines` lines of an output are, as an offset for LogRequest.
absl::StatusOr<int64_t> OffsetOfTail(Client& client, LogRequest request, int lines);

}  // namespace proffer::cli
