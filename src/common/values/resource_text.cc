// The text form of resources: see the grammar at the top of proffer/resources.h.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/values/resource.h"
#include "common/values/text.h"
#include "proffer/resources.h"

namespace proffer {
namespace {

using values::PercentEncode;
using values::Quoted;
using values::Refusal;

constexpr size_t kTextBytes = 64u << 10;

// A percent-encoded word: not empty, only plain characters and %XX.
absl::StatusOr<std::string> ReadWord(absl::string_view name, absl::string_view what,
                                     absl::string_view text) {
  bool plain = !text.empty();
  for (char c : text) plain = plain && (values::IsPlain(c) || c == '%');
  std::optional<std::string> word = values::PercentDecode(text);
  if (!plain || !word.has_value()) {
    return Refusal(name, absl::StrCat(what, " of [A-Za-z0-9._/-]"), text,
                   "write other characters as %XX, like \"%20\" for a blank");
  }
  return *std::move(word);
}

absl::Status ReadSource(absl::string_view name, absl::string_view text, Disk* disk) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (text == "root") {
    disk->source = DiskSource::kRoot;
    return absl::OkStatus();
  }
  if ((parts.first != "path" && parts.first != "mount") || parts.second.empty()) {
    return Refusal(name, "a source: root, path:<path> or mount:<path>", text,
                   "write it like source=path:/mnt/ssd");
  }
  absl::StatusOr<std::string> path = ReadWord(name, "a path", parts.second);
  if (!path.ok()) return path.status();
  disk->source = parts.first == "path" ? DiskSource::kPath : DiskSource::kMount;
  disk->source_path = *std::move(path);
  return absl::OkStatus();
}

absl::Status ReadQualifiers(absl::string_view text, Resource* resource) {
  bool source_seen = false;
  const auto twice = [&](absl::string_view qualifier) {
    return Refusal(resource->name, "every qualifier at most once", qualifier,
                   "leave one of them away");
  };
  for (absl::string_view qualifier : absl::StrSplit(text, ',')) {
    qualifier = absl::StripAsciiWhitespace(qualifier);
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(qualifier, absl::MaxSplits('=', 1));
    if (qualifier == "revocable" || qualifier == "shared") {
      bool& flag = qualifier == "shared" ? resource->shared : resource->revocable;
      if (flag) return twice(qualifier);
      flag = true;
      continue;
    }
    if (!resource->disk.has_value()) resource->disk.emplace();
    Disk& disk = *resource->disk;
    if (parts.first == "source") {
      if (source_seen) return twice(qualifier);
      source_seen = true;
      absl::Status status = ReadSource(resource->name, parts.second, &disk);
      if (!status.ok()) return status;
    } else if (parts.first == "volume" || parts.first == "path") {
      std::string& field = parts.first == "volume" ? disk.volume_id : disk.container_path;
      if (!field.empty()) return twice(qualifier);
      absl::StatusOr<std::string> word = ReadWord(
          resource->name, parts.first == "volume" ? "a volume id" : "a path", parts.second);
      if (!word.ok()) return word.status();
      field = *std::move(word);
    } else {
      return Refusal(resource->name, "revocable, shared, source=, volume= or path=", qualifier,
                     "leave it away or correct it");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TextSet> ReadSet(absl::string_view name, absl::string_view text) {
  if (text.back() != '}') {
    return Refusal(name, "a set like \"{a,b}\"", text, "close the brace");
  }
  TextSet set;
  const absl::string_view inside = absl::StripAsciiWhitespace(text.substr(1, text.size() - 2));
  if (inside.empty()) return set;
  for (absl::string_view part : absl::StrSplit(inside, ',')) {
    absl::StatusOr<std::string> item =
        ReadWord(name, "a set item", absl::StripAsciiWhitespace(part));
    if (!item.ok()) return item.status();
    if (!set.insert(*item).second) {
      return Refusal(name, "every set item once", *item, "leave one of them away");
    }
  }
  return set;
}

absl::StatusOr<ResourceValue> ReadValue(absl::string_view name, absl::string_view text) {
  const char first = text.empty() ? '\0' : text[0];
  if (name == kPorts || (first == '[' && values::MayHaveForm(name, values::Form::kRanges))) {
    absl::StatusOr<Ranges> ranges = Ranges::Parse(text);
    if (!ranges.ok()) return values::Under(name, ranges.status());
    return *std::move(ranges);
  }
  if (first == '{' && values::MayHaveForm(name, values::Form::kSet)) {
    absl::StatusOr<TextSet> set = ReadSet(name, text);
    if (!set.ok()) return set.status();
    return *std::move(set);
  }
  absl::StatusOr<int64_t> count = ParseScalar(name, text);
  if (!count.ok()) return count.status();
  return Scalar{*count};
}

absl::StatusOr<Resource> ReadItem(absl::string_view item) {
  const auto expected_item = [&](absl::string_view advice) {
    return Refusal("resources", "name:value like \"cpus:4\" or \"cpus@role:4\"", item, advice);
  };
  if (item.empty()) return expected_item("separate items by single semicolons");
  size_t at = item.find_first_of("@(:");
  if (at == absl::string_view::npos) return expected_item("give it a value");
  Resource resource;
  resource.name = std::string(item.substr(0, at));
  if (absl::Status status = ValidateName(resource.name); !status.ok()) return status;

  while (at < item.size() && item[at] == '@') {
    const size_t end = std::min(item.find_first_of("@(:", at + 1), item.size());
    const absl::string_view text = item.substr(at + 1, end - at - 1);
    const size_t equals = std::min(text.find('='), text.size());
    Reservation reservation;
    reservation.role = std::string(text.substr(0, equals));
    if (equals < text.size()) {
      absl::StatusOr<std::string> principal =
          ReadWord(resource.name, "a principal", text.substr(equals + 1));
      if (!principal.ok()) return principal.status();
      reservation.principal = *std::move(principal);
    }
    resource.reservations.push_back(std::move(reservation));
    at = end;
  }
  if (at < item.size() && item[at] == '(') {
    const size_t end = item.find(')', at);
    if (end == absl::string_view::npos) return expected_item("close the parenthesis");
    absl::Status status = ReadQualifiers(item.substr(at + 1, end - at - 1), &resource);
    if (!status.ok()) return status;
    at = end + 1;
  }
  if (at >= item.size() || item[at] != ':') return expected_item("put a \":\" before the value");
  absl::StatusOr<ResourceValue> value =
      ReadValue(resource.name, absl::StripAsciiWhitespace(item.substr(at + 1)));
  if (!value.ok()) return value.status();
  resource.value = *std::move(value);
  return resource;
}

std::string Qualifiers(const Resource& resource) {
  std::vector<std::string> qualifiers;
  if (resource.revocable) qualifiers.push_back("revocable");
  if (resource.shared) qualifiers.push_back("shared");
  if (resource.disk.has_value()) {
    const Disk& disk = *resource.disk;
    if (disk.source != DiskSource::kRoot) {
      qualifiers.push_back(
          absl::StrCat("source=", disk.source == DiskSource::kPath ? "path:" : "mount:",
                       PercentEncode(disk.source_path)));
    }
    if (!disk.volume_id.empty()) {
      qualifiers.push_back(absl::StrCat("volume=", PercentEncode(disk.volume_id)));
    }
    if (!disk.container_path.empty()) {
      qualifiers.push_back(absl::StrCat("path=", PercentEncode(disk.container_path)));
    }
  }
  return qualifiers.empty() ? "" : absl::StrCat("(", absl::StrJoin(qualifiers, ","), ")");
}

}  // namespace

std::string Resource::ToString() const {
  std::string text = name;
  for (const Reservation& reservation : reservations) {
    absl::StrAppend(&text, "@", reservation.role);
    if (!reservation.principal.empty()) {
      absl::StrAppend(&text, "=", PercentEncode(reservation.principal));
    }
  }
  absl::StrAppend(&text, Qualifiers(*this), ":");
  if (const auto* scalar = std::get_if<Scalar>(&value); scalar != nullptr) {
    absl::StrAppend(&text, PrintScalar(name, scalar->count));
  } else if (const auto* ranges = std::get_if<Ranges>(&value); ranges != nullptr) {
    absl::StrAppend(&text, ranges->ToString());
  } else {
    absl::StrAppend(&text, "{",
                    absl::StrJoin(std::get<TextSet>(value), ",",
                                  [](std::string* out, const std::string& item) {
                                    out->append(PercentEncode(item));
                                  }),
                    "}");
  }
  return text;
}

absl::StatusOr<Resources> Resources::Parse(absl::string_view text) {
  if (text.size() > kTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat("resources: expected at most ", kTextBytes,
                                                   " bytes, found ", text.size(),
                                                   "; join ranges or split the text"));
  }
  if (absl::StripAsciiWhitespace(text).empty()) return Resources();
  std::vector<Resource> items;
  for (absl::string_view item : absl::StrSplit(text, ';')) {
    absl::StatusOr<Resource> resource = ReadItem(absl::StripAsciiWhitespace(item));
    if (!resource.ok()) return resource.status();
    items.push_back(*std::move(resource));
  }
  return Make(std::move(items));
}

std::string Resources::ToString() const {
  return absl::StrJoin(
      items_, ";", [](std::string* out, const Resource& item) { out->append(item.ToString()); });
}

}  // namespace proffer
