// Implementation of resource.h, and of what a Resource does by itself.
#include "common/values/resource.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/utf8.h"
#include "common/values/text.h"

namespace proffer {
namespace values {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr size_t kIdBytes = 128;  // Volume ids become file names.
constexpr size_t kPrincipalBytes = 256;
constexpr size_t kPathBytes = 1024;
constexpr size_t kSetItemBytes = 256;

// Components that are neither empty nor lead elsewhere.
bool IsCleanPath(absl::string_view path) {
  if (path.size() > kPathBytes) return false;
  for (absl::string_view component : absl::StrSplit(path, '/')) {
    if (component.empty() || component == "." || component == "..") return false;
  }
  return IsUtf8(path) && std::none_of(path.begin(), path.end(), absl::ascii_iscntrl);
}

absl::Status ValidateReservations(const Resource& resource) {
  const std::vector<Reservation>& stack = resource.reservations;
  for (size_t i = 0; i < stack.size(); ++i) {
    if (stack[i].role == "*") {
      return Refusal(resource.name, "the role of a reservation", "*",
                     "leave the reservation away if none is meant");
    }
    if (absl::Status status = ValidateRole(stack[i].role); !status.ok()) {
      return Under(resource.name, status);
    }
    if (stack[i].principal.size() > kPrincipalBytes) {
      return Refusal(resource.name, "a principal of at most 256 bytes", stack[i].principal,
                     "shorten it");
    }
    if (!IsUtf8(stack[i].principal)) {
      return Refusal(resource.name, "a principal in UTF-8", stack[i].principal,
                     "write it in UTF-8");
    }
    if (i == 0) continue;
    if (stack[i].role == stack[i - 1].role ||
        !IsSameOrDescendant(stack[i].role, stack[i - 1].role)) {
      return Refusal(
          resource.name, absl::StrCat("a role below ", Quoted(stack[i - 1].role)), stack[i].role,
          "a reservation on top of another refines it, like \"cpus@eng@eng/prod=alice:1\"");
    }
    if (stack[i].principal.empty()) {
      return Refusal(resource.name, "a principal for every reservation but the outermost",
                     stack[i].role, "only the outermost can be static; write \"role=principal\"");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateDisk(const Resource& resource) {
  const bool volume = resource.disk.has_value() && !resource.disk->volume_id.empty();
  if (resource.shared && !volume) {
    return Refusal(resource.name, "a volume, because it is shared", resource.ToString(),
                   "only persistent volumes can be shared");
  }
  if (!resource.disk.has_value()) return absl::OkStatus();
  const Disk& disk = *resource.disk;
  if (resource.name != kDisk) {
    return Refusal(resource.name, "no source and no volume", resource.ToString(),
                   "only \"disk\" has these");
  }
  if (disk.source == DiskSource::kRoot) {
    if (!disk.source_path.empty()) {
      return Refusal(resource.name, "no path for the root disk", disk.source_path,
                     "leave the path away, or use source=path or source=mount");
    }
  } else if (disk.source_path.empty() || disk.source_path[0] != '/' ||
             !IsCleanPath(absl::string_view(disk.source_path).substr(1))) {
    return Refusal(resource.name, "the absolute path of a disk source like \"/mnt/ssd\"",
                   disk.source_path, "write it like source=path:/mnt/ssd, without \"..\"");
  }
  if (!volume) {
    if (!disk.container_path.empty()) {
      return Refusal(resource.name, "a volume for the path", disk.container_path,
                     "name the volume, like (volume=v1,path=data)");
    }
    return absl::OkStatus();
  }
  if (disk.volume_id.size() > kIdBytes || disk.volume_id == "." || disk.volume_id == ".." ||
      !IsUtf8(disk.volume_id) ||
      std::any_of(disk.volume_id.begin(), disk.volume_id.end(),
                  [](char c) { return c == '/' || absl::ascii_iscntrl(c); })) {
    return Refusal(resource.name, "a volume id in UTF-8 of at most 128 bytes without \"/\"",
                   disk.volume_id, "it must be fit for a file name");
  }
  if (!IsCleanPath(disk.container_path)) {
    return Refusal(resource.name, "the volume's relative path in the container like \"data\"",
                   disk.container_path, "write it like path=data, without \"..\"");
  }
  if (resource.reservations.empty()) {
    return Refusal(resource.name, "a reservation, because it is a volume", resource.ToString(),
                   "reserve the disk first, like disk@eng=alice(volume=v1,path=data):1GiB");
  }
  if (resource.revocable) {
    return Refusal(resource.name, "a volume or something revocable, not both", resource.ToString(),
                   "what is kept cannot be taken back");
  }
  return absl::OkStatus();
}

absl::Status ValidateValue(const Resource& resource) {
  const Form form = FormOf(resource.value);
  if (!MayHaveForm(resource.name, form)) {
    return Refusal(resource.name, resource.name == kPorts ? "ranges" : "a number",
                   resource.ToString(), absl::StrCat("it is ", FormName(form), " here"));
  }
  if (const auto* scalar = std::get_if<Scalar>(&resource.value); scalar != nullptr) {
    if (scalar->count < 0) {
      return Refusal(resource.name, "an amount", resource.ToString(),
                     "an amount is never negative");
    }
  } else if (const auto* ranges = std::get_if<Ranges>(&resource.value); ranges != nullptr) {
    const int64_t most = kMax / ItemCount(resource.name);
    if (ranges->Count() > most) {
      return absl::OutOfRangeError(absl::StrCat(resource.name, ": expected at most ", most,
                                                " items, found ", ranges->Count(),
                                                "; use smaller ranges"));
    }
  } else {
    for (const std::string& item : std::get<TextSet>(resource.value)) {
      if (item.empty() || item.size() > kSetItemBytes || !IsUtf8(item)) {
        return Refusal(resource.name, "set items of 1 to 256 bytes in UTF-8", item,
                       "write the set like \"{a,b}\"");
      }
    }
  }
  if (IsIndivisible(resource) && IsZero(resource.value)) {
    return Refusal(resource.name, "a size above 0", resource.ToString(),
                   "volumes and mounted disks are given out whole");
  }
  return absl::OkStatus();
}

}  // namespace

std::strong_ordering CompareKind(const Resource& a, const Resource& b) {
  if (auto order = a.name <=> b.name; order != 0) return order;
  if (!a.reservations.empty() || !b.reservations.empty()) {
    if (auto order = a.reservations <=> b.reservations; order != 0) return order;
  }
  if (a.disk.has_value() || b.disk.has_value()) {
    if (auto order = a.disk <=> b.disk; order != 0) return order;
  }
  if (auto order = a.revocable <=> b.revocable; order != 0) return order;
  return a.shared <=> b.shared;
}

bool IsIndivisible(const Resource& resource) {
  return resource.disk.has_value() &&
         (resource.disk->source == DiskSource::kMount || !resource.disk->volume_id.empty());
}

bool IsInterchangeable(const Resource& resource) {
  return !resource.disk.has_value() && !resource.revocable && !resource.shared;
}

void Normalise(Resource* resource) {
  if (resource->disk.has_value() && *resource->disk == Disk()) resource->disk.reset();
}

absl::Status Validate(const Resource& resource) {
  if (absl::Status status = ValidateName(resource.name); !status.ok()) return status;
  if (absl::Status status = ValidateReservations(resource); !status.ok()) return status;
  if (absl::Status status = ValidateDisk(resource); !status.ok()) return status;
  return ValidateValue(resource);
}

Form FormOf(const ResourceValue& value) { return static_cast<Form>(value.index()); }

absl::string_view FormName(Form form) {
  switch (form) {
    case Form::kScalar:
      return "a number";
    case Form::kRanges:
      return "ranges";
    case Form::kSet:
      return "a set";
  }
  return "";
}

bool MayHaveForm(absl::string_view name, Form form) {
  if (name == kPorts) return form == Form::kRanges;
  if (name == kCpus || name == kMem || name == kDisk || name == kGpus) {
    return form == Form::kScalar;
  }
  return true;
}

int64_t ItemCount(absl::string_view name) { return UnitOf(name) == Unit::kThousandths ? 1000 : 1; }

bool IsZero(const ResourceValue& value) {
  switch (FormOf(value)) {
    case Form::kScalar:
      return std::get<Scalar>(value).count == 0;
    case Form::kRanges:
      return std::get<Ranges>(value).empty();
    case Form::kSet:
      return std::get<TextSet>(value).empty();
  }
  return true;
}

absl::Status CanAdd(absl::string_view name, const ResourceValue& value,
                    const ResourceValue& added) {
  if (value.index() != added.index()) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": expected ", FormName(FormOf(value)), " like what is there already, found ",
        FormName(FormOf(added)), "; use one form for one name"));
  }
  if (const auto* scalar = std::get_if<Scalar>(&value); scalar != nullptr) {
    int64_t sum = 0;
    if (__builtin_add_overflow(scalar->count, std::get<Scalar>(added).count, &sum)) {
      return absl::OutOfRangeError(absl::StrCat(
          name, ": expected a sum of at most ", Quoted(PrintScalar(name, kMax)), ", found ",
          Quoted(PrintScalar(name, scalar->count)), " and ",
          Quoted(PrintScalar(name, std::get<Scalar>(added).count)), "; use smaller amounts"));
    }
    return absl::OkStatus();
  }
  if (const auto* ranges = std::get_if<Ranges>(&value); ranges != nullptr) {
    if (!ranges->Intersects(std::get<Ranges>(added))) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat(name, ": expected values that are not there yet, found ",
                     Quoted(std::get<Ranges>(added).ToString()), " beside ",
                     Quoted(ranges->ToString()), "; give every value once"));
  }
  for (const std::string& item : std::get<TextSet>(added)) {
    if (std::get<TextSet>(value).count(item) > 0) {
      return absl::AlreadyExistsError(
          absl::StrCat(name, ": expected items that are not there yet, found ", Quoted(item),
                       "; give every item once"));
    }
  }
  return absl::OkStatus();
}

void Add(ResourceValue* value, const ResourceValue& added) {
  switch (FormOf(*value)) {
    case Form::kScalar:
      std::get<Scalar>(*value).count += std::get<Scalar>(added).count;
      return;
    case Form::kRanges:
      std::get<Ranges>(*value).Add(std::get<Ranges>(added));
      return;
    case Form::kSet:
      const TextSet& items = std::get<TextSet>(added);
      std::get<TextSet>(*value).insert(items.begin(), items.end());
      return;
  }
}

bool Contains(const ResourceValue& value, const ResourceValue& part) {
  if (value.index() != part.index()) return false;
  switch (FormOf(value)) {
    case Form::kScalar:
      return std::get<Scalar>(value).count >= std::get<Scalar>(part).count;
    case Form::kRanges:
      return std::get<Ranges>(value).Contains(std::get<Ranges>(part));
    case Form::kSet:
      const TextSet& all = std::get<TextSet>(value);
      const TextSet& some = std::get<TextSet>(part);
      return std::includes(all.begin(), all.end(), some.begin(), some.end());
  }
  return false;
}

void Subtract(ResourceValue* value, const ResourceValue& part) {
  switch (FormOf(*value)) {
    case Form::kScalar:
      std::get<Scalar>(*value).count -= std::get<Scalar>(part).count;
      return;
    case Form::kRanges:
      std::get<Ranges>(*value).Subtract(std::get<Ranges>(part));
      return;
    case Form::kSet:
      for (const std::string& item : std::get<TextSet>(part)) {
        std::get<TextSet>(*value).erase(item);
      }
      return;
  }
}

}  // namespace values

const std::string& Resource::role() const {
  static const std::string* const kNone = new std::string("*");
  return reservations.empty() ? *kNone : reservations.back().role;
}

bool Resource::SameKind(const Resource& other) const {
  return values::CompareKind(*this, other) == 0;
}

int64_t Resource::Count() const {
  int64_t items = 0;
  switch (values::FormOf(value)) {
    case values::Form::kScalar:
      return std::get<Scalar>(value).count;
    case values::Form::kRanges:
      items = std::get<Ranges>(value).Count();
      break;
    case values::Form::kSet:
      items = static_cast<int64_t>(std::get<TextSet>(value).size());
      break;
  }
  int64_t count = 0;
  if (__builtin_mul_overflow(items, values::ItemCount(name), &count)) return values::kMax;
  return count;
}

}  // namespace proffer
