// The formats of -o: table and wide for people, json, yaml, jsonl and name for programs.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/context.h"
#include "google/protobuf/message.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::cli {

enum class Format { kTable, kWide, kJson, kYaml, kJsonLines, kName };

absl::StatusOr<Format> ParseFormat(const std::string& text);
inline bool IsForPeople(Format format) {
  return format == Format::kTable || format == Format::kWide;
}

// What an object holds, without the oneof around it.
const google::protobuf::Message& Inner(const v1::Object& object);

// For formats that are not for people: a list, and one thing with its name.
void PrintList(std::ostream& out, Format format, const std::vector<v1::Object>& objects);
void PrintOne(std::ostream& out, Format format, const google::protobuf::Message& message,
              const std::string& name);

}  // namespace proffer::cli
