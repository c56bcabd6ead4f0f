// How the words of a master scenario are read. A word that makes no sense ends the test: the
// scenario itself is wrong then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/model/ids.h"
#include "common/model/task.h"
#include "common/model/version.h"
#include "glog/logging.h"
#include "proffer/resources.h"

namespace proffer::master::words {

inline int64_t Number(const std::string& text) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(text, &number)) << "\"" << text << "\" is no number";
  return number;
}

// "100ms", "5s", "2m", "1h", "3d"; a bare number is milliseconds.
inline int64_t Milliseconds(const std::string& text) {
  const size_t unit = text.find_first_not_of("-0123456789");
  const int64_t number = Number(text.substr(0, unit));
  const std::string name = unit == std::string::npos ? "ms" : text.substr(unit);
  if (name == "ms") return number;
  if (name == "s") return number * 1'000;
  if (name == "m") return number * 60'000;
  if (name == "h") return number * 3'600'000;
  CHECK(name == "d") << "\"" << text << "\" is no duration";
  return number * 24 * 3'600'000;
}

inline std::optional<int64_t> MaybeMilliseconds(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return Milliseconds(text);
}

inline std::vector<std::string> List(const std::string& text) {
  return absl::StrSplit(text, ',', absl::SkipEmpty());
}

// "3-17".
template <typename Id>
Id Pair(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '-');
  CHECK_EQ(parts.size(), 2u) << "\"" << text << "\" is no id of epoch and number";
  Id id;
  id.epoch = static_cast<uint64_t>(Number(parts[0]));
  id.n = static_cast<uint64_t>(Number(parts[1]));
  return id;
}

inline std::vector<model::OfferId> Offers(const std::string& text) {
  std::vector<model::OfferId> ids;
  for (const std::string& part : List(text)) ids.push_back(Pair<model::OfferId>(part));
  return ids;
}

inline Resources Res(const std::string& text) {
  if (text == "nothing") return {};
  const absl::StatusOr<Resources> resources = Resources::Parse(text);
  CHECK(resources.ok()) << resources.status();
  return *resources;
}

inline model::TaskState State(const std::string& name) {
  for (int i = 0; i <= model::kTaskStateMax; ++i) {
    const auto state = static_cast<model::TaskState>(i);
    if (model::TaskStateName(state) == name) return state;
  }
  LOG(FATAL) << "\"" << name << "\" is no task state";
}

inline model::TaskReason Reason(const std::string& name) {
  for (int i = 0; i <= model::kTaskReasonMax; ++i) {
    const auto reason = static_cast<model::TaskReason>(i);
    if (model::TaskReasonName(reason) == name) return reason;
  }
  LOG(FATAL) << "\"" << name << "\" is no reason";
}

// "1.2.3"; empty: this build's.
inline model::Version Version(const std::string& text) {
  model::Version version = model::ThisVersion();
  if (text.empty()) return version;
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  CHECK_EQ(parts.size(), 3u);
  version.major = static_cast<uint32_t>(Number(parts[0]));
  version.minor = static_cast<uint32_t>(Number(parts[1]));
  version.patch = static_cast<uint32_t>(Number(parts[2]));
  return version;
}

}  // namespace proffer::master::words
