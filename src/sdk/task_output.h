// Where a task's output is to be had, and how it is read.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/leader/leader_finder.h"
#include "proffer/framework.h"

namespace proffer {

struct Result::Source {
  std::shared_ptr<LeaderFinder> leader;
  std::string framework_id;
};

}  // namespace proffer
