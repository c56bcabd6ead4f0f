// The two histories that a run is judged by, both written by who cannot know what the other side
// wrote: what the tasks themselves did (the witness), and what schedulers did and were told.
// One line an entry, words separated by blanks, times by CLOCK_BOOTTIME of the one machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace proffer::chaos {

//   AT start TASK ATTEMPT
//   AT end TASK ATTEMPT EXIT_CODE
struct WitnessLine {
  int64_t at_ms = 0;
  bool is_end = false;
  std::string task;  // As launched: "f1-s7.r2" is the second launch of "f1-s7".
  std::string attempt;
  int exit_code = 0;

  friend bool operator==(const WitnessLine&, const WitnessLine&) = default;
};

//   AT FRAMEWORK LIFE leads
//   AT FRAMEWORK LIFE submitted TASK
//   AT FRAMEWORK LIFE status TASK STATE
//   AT FRAMEWORK LIFE end TASK STATE REASON|- EXIT_CODE|-
//   AT FRAMEWORK LIFE stopped CAUSE
//   AT FRAMEWORK LIFE complete
struct ClientLine {
  int64_t at_ms = 0;
  std::string framework;
  std::string life;  // Of one process of one replica.
  std::string event;
  std::string task;   // As submitted. Of "stopped": the cause.
  std::string state;  // As the SDK names it.
  std::string reason;
  std::optional<int> exit_code;

  friend bool operator==(const ClientLine&, const ClientLine&) = default;
};

// Lines that are none are told in `*bad`: a recorder that fails must not pass for peace.
std::vector<WitnessLine> ParseWitness(absl::string_view text, std::vector<std::string>* bad);
std::vector<ClientLine> ParseClients(absl::string_view text, std::vector<std::string>* bad);

std::string Print(const ClientLine& line);

// "f1-s7" of "f1-s7.r2".
std::string SubmittedId(const std::string& launched);

// One write, at the end of the file, whoever else writes there.
void AppendLine(const std::string& path, const std::string& line);

}  // namespace proffer::chaos
