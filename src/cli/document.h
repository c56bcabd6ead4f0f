// A tree of values, made from any message of the API, printed as JSON or YAML.
//
// Field names are those of the protos; 64-bit numbers are numbers, not texts; an EpochId is the
// text "epoch-n"; enumerators are their names; what is optional and unset is left out.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/message.h"

namespace proffer::cli {

struct Node {
  enum class Kind { kNull, kPlain, kText, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;               // Of kPlain (numbers, true, false) and kText.
  std::vector<std::string> keys;  // Of kMap, beside items.
  std::vector<Node> items;

  static Node Text(std::string text);
  static Node Number(int64_t number);
  static Node List(std::vector<Node> items = {});
  static Node Map() { return Node{Kind::kMap, "", {}, {}}; }
  Node& Set(std::string key, Node value);
};

Node FromMessage(const google::protobuf::Message& message);

std::string ToJson(const Node& node);         // Indented, with a newline at the end.
std::string ToCompactJson(const Node& node);  // One line, without a newline.
std::string ToYaml(const Node& node);

}  // namespace proffer::cli
