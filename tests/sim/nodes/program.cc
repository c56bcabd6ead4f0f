#include "sim/nodes/program.h"

#include "absl/strings/numbers.h"
#include "proffer/v1/task.pb.h"

namespace proffer::sim {

std::string Program::ToPayload() const {
  v1::TaskPayload payload;
  for (const int64_t value : {run_ms, int64_t{exit_code}, term_ms, int64_t{fails_to_start},
                              int64_t{runs_out_of_memory}, dies_hard_ms}) {
    payload.mutable_command()->add_argv(std::to_string(value));
  }
  return payload.SerializeAsString();
}

Program Program::FromPayload(const std::string& bytes) {
  v1::TaskPayload payload;
  if (!payload.ParseFromString(bytes)) return {};
  const auto value = [&payload](int i) {
    int64_t number = 0;
    if (i < payload.command().argv_size()) {
      (void)absl::SimpleAtoi(payload.command().argv(i), &number);
    }
    return number;
  };
  return {value(0), static_cast<int>(value(1)), value(2), value(3) != 0, value(4) != 0, value(5)};
}

}  // namespace proffer::sim
