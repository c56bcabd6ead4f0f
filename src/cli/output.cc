#include "cli/output.h"

#include "absl/strings/str_cat.h"
#include "cli/describe.h"
#include "cli/document.h"

namespace proffer::cli {

absl::StatusOr<Format> ParseFormat(const std::string& text) {
  if (text == "table") return Format::kTable;
  if (text == "wide") return Format::kWide;
  if (text == "json") return Format::kJson;
  if (text == "yaml") return Format::kYaml;
  if (text == "jsonl") return Format::kJsonLines;
  if (text == "name") return Format::kName;
  return absl::InvalidArgumentError(absl::StrCat(
      "-o ", text, " is not a format; expected table, wide, json, yaml, jsonl or name"));
}

const google::protobuf::Message& Inner(const v1::Object& object) {
  switch (object.object_case()) {
    case v1::Object::kAgent:
      return object.agent();
    case v1::Object::kFramework:
      return object.framework();
    case v1::Object::kTask:
      return object.task();
    case v1::Object::kOffer:
      return object.offer();
    case v1::Object::kRole:
      return object.role();
    case v1::Object::OBJECT_NOT_SET:
      break;
  }
  return object;
}

void PrintList(std::ostream& out, Format format, const std::vector<v1::Object>& objects) {
  Node list = Node::List();
  for (const v1::Object& object : objects) {
    if (format == Format::kName) {
      out << NameOf(object) << "\n";
    } else if (format == Format::kJsonLines) {
      out << ToCompactJson(FromMessage(Inner(object))) << "\n";
    } else {
      list.items.push_back(FromMessage(Inner(object)));
    }
  }
  if (format == Format::kJson) out << ToJson(list);
  if (format == Format::kYaml) out << ToYaml(list);
}

void PrintOne(std::ostream& out, Format format, const google::protobuf::Message& message,
              const std::string& name) {
  switch (format) {
    case Format::kName:
      out << name << "\n";
      break;
    case Format::kJsonLines:
      out << ToCompactJson(FromMessage(message)) << "\n";
      break;
    case Format::kYaml:
      out << ToYaml(FromMessage(message));
      break;
    default:
      out << ToJson(FromMessage(message));
  }
}

}  // namespace proffer::cli
