#include "cli/document.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/reflection.h"
#include "proffer/v1/types.pb.h"

namespace proffer::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          absl::StrAppend(&out, absl::StrFormat("\\u%04x", static_cast<unsigned char>(c)));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

// One value of a field: its only one, or (index >= 0) one of several.
Node ValueOf(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  const bool many = index >= 0;
  const auto number = [](auto value) {
    return Node{Node::Kind::kPlain, absl::StrCat(value), {}, {}};
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return number(many ? reflection->GetRepeatedInt32(message, field, index)
                         : reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return number(many ? reflection->GetRepeatedInt64(message, field, index)
                         : reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return number(many ? reflection->GetRepeatedUInt32(message, field, index)
                         : reflection->GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return number(many ? reflection->GetRepeatedUInt64(message, field, index)
                         : reflection->GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return number(many ? reflection->GetRepeatedDouble(message, field, index)
                         : reflection->GetDouble(message, field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return number(many ? reflection->GetRepeatedFloat(message, field, index)
                         : reflection->GetFloat(message, field));
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = many ? reflection->GetRepeatedBool(message, field, index)
                              : reflection->GetBool(message, field);
      return Node{Node::Kind::kPlain, value ? "true" : "false", {}, {}};
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = many ? reflection->GetRepeatedEnumValue(message, field, index)
                             : reflection->GetEnumValue(message, field);
      const auto* name = field->enum_type()->FindValueByNumber(value);
      return name != nullptr ? Node::Text(std::string(name->name())) : Node::Number(value);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value = many ? reflection->GetRepeatedString(message, field, index)
                               : reflection->GetString(message, field);
      if (field->type() == FieldDescriptor::TYPE_BYTES) value = absl::Base64Escape(value);
      return Node::Text(std::move(value));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return FromMessage(many ? reflection->GetRepeatedMessage(message, field, index)
                              : reflection->GetMessage(message, field));
  }
  return Node();
}

Node MapOf(const Message& message, const FieldDescriptor* field) {
  const FieldDescriptor* key = field->message_type()->map_key();
  const FieldDescriptor* value = field->message_type()->map_value();
  std::vector<std::pair<std::string, Node>> entries;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, field, i);
    entries.emplace_back(ValueOf(entry, key, -1).text, ValueOf(entry, value, -1));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Node map = Node::Map();
  for (auto& [name, node] : entries) map.Set(std::move(name), std::move(node));
  return map;
}

std::string Json(const Node& node, const std::string& indent, bool compact) {
  const std::string deeper = indent + "  ";
  switch (node.kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kPlain:
      return node.text;
    case Node::Kind::kText:
      return Quoted(node.text);
    case Node::Kind::kList:
    case Node::Kind::kMap:
      break;
  }
  const bool map = node.kind == Node::Kind::kMap;
  if (node.items.empty()) return map ? "{}" : "[]";
  std::string out = map ? "{" : "[";
  for (size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) out += ",";
    if (!compact) absl::StrAppend(&out, "\n", deeper);
    if (map) absl::StrAppend(&out, Quoted(node.keys[i]), compact ? ":" : ": ");
    out += Json(node.items[i], deeper, compact);
  }
  if (!compact) absl::StrAppend(&out, "\n", indent);
  return out + (map ? "}" : "]");
}

// Only what no reader of YAML can take for anything else stands without quotes.
std::string YamlText(const std::string& text) {
  static constexpr absl::string_view kWords[] = {"true", "false", "null", "yes", "no",
                                                 "on",   "off",   "y",    "n"};
  const std::string lower = absl::AsciiStrToLower(text);
  const bool word = std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
  const bool plain = !text.empty() && !word &&
                     (absl::ascii_isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/') &&
                     std::all_of(text.begin(), text.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
                              c == '.' || c == '/' || c == '-';
                     });
  return plain ? text : Quoted(text);
}

void Yaml(const Node& node, const std::string& indent, std::string* out) {
  const bool map = node.kind == Node::Kind::kMap;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = node.items[i];
    const bool nested = !item.items.empty();
    // The first line of an item of a list stands behind its dash already.
    const std::string lead = i == 0 && !out->empty() && absl::EndsWith(*out, "- ") ? "" : indent;
    absl::StrAppend(out, lead, map ? absl::StrCat(YamlText(node.keys[i]), ":") : "-");
    if (!nested) {
      absl::StrAppend(out, " ",
                      item.kind == Node::Kind::kText ? YamlText(item.text) : Json(item, "", true),
                      "\n");
    } else if (map) {
      absl::StrAppend(out, "\n");
      Yaml(item, indent + "  ", out);
    } else {
      absl::StrAppend(out, " ");
      Yaml(item, indent + "  ", out);
    }
  }
}

}  // namespace

Node Node::Text(std::string text) { return Node{Kind::kText, std::move(text), {}, {}}; }
Node Node::Number(int64_t number) { return Node{Kind::kPlain, absl::StrCat(number), {}, {}}; }
Node Node::List(std::vector<Node> items) { return Node{Kind::kList, "", {}, std::move(items)}; }

Node& Node::Set(std::string key, Node value) {
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
  return *this;
}

Node FromMessage(const Message& message) {
  if (message.GetDescriptor() == v1::EpochId::descriptor()) {
    const auto& id = static_cast<const v1::EpochId&>(message);
    return Node::Text(absl::StrCat(id.epoch(), "-", id.n()));
  }
  Node node = Node::Map();
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const std::string name(field->name());
    if (field->is_map()) {
      node.Set(name, MapOf(message, field));
    } else if (field->is_repeated()) {
      Node list = Node::List();
      for (int n = 0; n < reflection->FieldSize(message, field); ++n) {
        list.items.push_back(ValueOf(message, field, n));
      }
      node.Set(name, std::move(list));
    } else if (!field->has_presence() || reflection->HasField(message, field)) {
      node.Set(name, ValueOf(message, field, -1));
    }
  }
  return node;
}

std::string ToJson(const Node& node) { return Json(node, "", false) + "\n"; }
std::string ToCompactJson(const Node& node) { return Json(node, "", true); }

std::string ToYaml(const Node& node) {
  if (node.items.empty()) {
    return (node.kind == Node::Kind::kText ? YamlText(node.text) : Json(node, "", true)) + "\n";
  }
  std::string out;
  Yaml(node, "", &out);
  return out;
}

}  // namespace proffer::cli
