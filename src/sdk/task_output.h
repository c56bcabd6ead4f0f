// Where a task's output is to be had, and how it is read.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/address.h"
#include "proffer/framework.h"

namespace proffer {

struct Result::Source {
  std::vector<rpc::Address> masters;
  std::string framework_id;
};

}  // namespace proffer
