// Programs of the system that are run to their end, for what they do.
#pragma once

#include <string>
#include <vector>

namespace proffer::chaos {

// True: it exited with 0. What it says goes to `*output`, stdout and stderr; `input` is its stdin.
// `words[0]` is looked up in PATH.
bool RunCommand(const std::vector<std::string>& words, const std::string& input,
                std::string* output);

// Dies unless it exits with 0.
std::string MustRun(const std::vector<std::string>& words, const std::string& input = "");

std::string ReadWhole(const std::string& path);

}  // namespace proffer::chaos
