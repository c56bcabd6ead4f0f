// What a simulated task does, written into its command line.
#pragma once

#include <cstdint>
#include <string>

namespace proffer::sim {

struct Program {
  int64_t run_ms = 0;
  int exit_code = 0;
  // Takes so long to end after SIGTERM; negative: it does not listen.
  int64_t term_ms = 1;
  bool fails_to_start = false;
  bool runs_out_of_memory = false;  // At its end.
  int64_t dies_hard_ms = 0;         // SIGKILL takes so long: it sits in the kernel.

  // As the serialised payload of a task, and back.
  std::string ToPayload() const;
  static Program FromPayload(const std::string& payload);
};

}  // namespace proffer::sim
