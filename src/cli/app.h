// The program `proffer`: its verbs, its help, its errors.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace proffer::cli {

// `arguments` without the program's name. Gives the exit code.
int RunProffer(Context& context, const std::vector<std::string>& arguments);

}  // namespace proffer::cli
