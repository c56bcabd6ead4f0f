// Tables of objects: which columns, in words for people.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/table.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::cli {

// `objects` are all of that kind. `wide` has everything.
Table TableOf(v1::Kind kind, const std::vector<v1::Object>& objects, bool wide,
              int64_t now_unix_ms);
// Those that live first, the newest first; ended ones after them, the last to end first.
void SortTasks(std::vector<v1::Object>* tasks);

}  // namespace proffer::cli
