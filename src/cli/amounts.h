// Resources as people read them: sums by name, rounded to what fits a column.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/map.h"
#include "google/protobuf/repeated_field.h"
#include "proffer/v1/types.pb.h"

namespace proffer::cli {

using ResourceList = google::protobuf::RepeatedPtrField<v1::Resource>;
// By name, in the units of quantity.h; of ranges and sets the number of items.
using Amounts = std::map<std::string, int64_t>;

Amounts SumOf(const ResourceList& resources);
Amounts FromMap(const google::protobuf::Map<std::string, int64_t>& map);
int64_t Of(const Amounts& amounts, const std::string& name);

// "1.5", "512MiB", "7.7GiB" (bytes rounded to one decimal), "2".
std::string HumanAmount(absl::string_view name, int64_t count);
// "cpus 1.5  mem 512MiB": cpus and mem first, nothing that is 0.
std::string HumanAmounts(const Amounts& amounts);
// "31000-31332,31400"; "" when there are none.
std::string PortsOf(const ResourceList& resources);
// Parts of 10^12 as percent: "12.5 %".
std::string HumanShare(int64_t share);

}  // namespace proffer::cli
