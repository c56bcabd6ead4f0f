#include "common/convert/values.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status.h"

namespace proffer::convert {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

// Most values a list may hold; a longer one is hostile, not useful.
constexpr int kListItems = 10'000;

absl::Status CheckLength(absl::string_view what, int size) {
  if (size <= kListItems) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": ", size, " items; at most ", kListItems, " are allowed"));
}

absl::StatusOr<Ranges> FromProto(const v1::RangeList& list) {
  RETURN_IF_ERROR(CheckLength("ranges", list.ranges_size()));
  std::vector<Range> ranges;
  for (const v1::Range& range : list.ranges()) ranges.push_back({range.first(), range.last()});
  return Ranges::Make(std::move(ranges));
}

void ToProto(const Ranges& ranges, v1::RangeList* out) {
  for (const Range& range : ranges.ranges()) {
    v1::Range* added = out->add_ranges();
    added->set_first(range.first);
    added->set_last(range.last);
  }
}

absl::StatusOr<ResourceValue> ValueFrom(const v1::Resource& in) {
  switch (in.value_case()) {
    case v1::Resource::kScalar:
      return ResourceValue(Scalar{in.scalar()});
    case v1::Resource::kRanges: {
      ASSIGN_OR_RETURN(Ranges ranges, FromProto(in.ranges()));
      return ResourceValue(std::move(ranges));
    }
    case v1::Resource::kSet: {
      RETURN_IF_ERROR(CheckLength(in.name(), in.set().items_size()));
      TextSet set(in.set().items().begin(), in.set().items().end());
      if (set.size() != static_cast<size_t>(in.set().items_size())) {
        return absl::InvalidArgumentError(
            absl::StrCat("resource \"", in.name(), "\": a set item is listed twice"));
      }
      return ResourceValue(std::move(set));
    }
    case v1::Resource::VALUE_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "resource \"", in.name(), "\" has no value; expected a scalar, ranges or a set"));
}

absl::StatusOr<Resource> FromProto(const v1::Resource& in) {
  Resource out;
  out.name = in.name();
  ASSIGN_OR_RETURN(out.value, ValueFrom(in));
  for (const v1::Reservation& reservation : in.reservations()) {
    out.reservations.push_back({reservation.role(), reservation.principal()});
  }
  if (in.has_disk()) {
    Disk disk;
    switch (in.disk().source()) {
      case v1::PATH:
        disk.source = DiskSource::kPath;
        break;
      case v1::MOUNT:
        disk.source = DiskSource::kMount;
        break;
      default:
        disk.source = DiskSource::kRoot;
        break;
    }
    disk.source_path = in.disk().source_path();
    disk.volume_id = in.disk().volume_id();
    disk.container_path = in.disk().container_path();
    out.disk = std::move(disk);
  }
  out.revocable = in.revocable();
  out.shared = in.shared();
  return out;
}

void ToProto(const Resource& in, v1::Resource* out) {
  out->set_name(in.name);
  std::visit(Overloaded{[out](const Scalar& s) { out->set_scalar(s.count); },
                        [out](const Ranges& r) { ToProto(r, out->mutable_ranges()); },
                        [out](const TextSet& set) {
                          out->mutable_set();
                          for (const std::string& item : set) out->mutable_set()->add_items(item);
                        }},
             in.value);
  for (const Reservation& reservation : in.reservations) {
    v1::Reservation* added = out->add_reservations();
    added->set_role(reservation.role);
    added->set_principal(reservation.principal);
  }
  if (in.disk) {
    v1::Disk* disk = out->mutable_disk();
    switch (in.disk->source) {
      case DiskSource::kRoot:
        disk->set_source(v1::ROOT);
        break;
      case DiskSource::kPath:
        disk->set_source(v1::PATH);
        break;
      case DiskSource::kMount:
        disk->set_source(v1::MOUNT);
        break;
    }
    disk->set_source_path(in.disk->source_path);
    disk->set_volume_id(in.disk->volume_id);
    disk->set_container_path(in.disk->container_path);
  }
  out->set_revocable(in.revocable);
  out->set_shared(in.shared);
}

}  // namespace

absl::StatusOr<Resources> FromProto(const ResourceList& list) {
  RETURN_IF_ERROR(CheckLength("resources", list.size()));
  std::vector<Resource> items;
  items.reserve(list.size());
  for (const v1::Resource& item : list) {
    ASSIGN_OR_RETURN(Resource resource, FromProto(item));
    items.push_back(std::move(resource));
  }
  return Resources::Make(std::move(items));
}

void ToProto(const Resources& resources, ResourceList* out) {
  for (const Resource& resource : resources.items()) ToProto(resource, out->Add());
}

absl::StatusOr<Attributes> FromProto(const AttributeList& list) {
  Attributes out;
  for (const v1::Attribute& item : list) {
    AttributeValue value;
    switch (item.value_case()) {
      case v1::Attribute::kText:
        value = item.text();
        break;
      case v1::Attribute::kThousandths:
        value = AttributeNumber{item.thousandths()};
        break;
      case v1::Attribute::kRanges: {
        ASSIGN_OR_RETURN(Ranges ranges, FromProto(item.ranges()));
        value = std::move(ranges);
        break;
      }
      case v1::Attribute::VALUE_NOT_SET:
        return absl::InvalidArgumentError(
            absl::StrCat("attribute \"", item.name(), "\" has no value"));
    }
    if (out.Find(item.name()) != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("attribute \"", item.name(), "\" is given twice"));
    }
    RETURN_IF_ERROR(out.Set(item.name(), std::move(value)));
  }
  return out;
}

void ToProto(const Attributes& attributes, AttributeList* out) {
  for (const auto& [name, value] : attributes.items()) {
    v1::Attribute* added = out->Add();
    added->set_name(name);
    std::visit(
        Overloaded{[added](const std::string& text) { added->set_text(text); },
                   [added](const AttributeNumber& n) { added->set_thousandths(n.thousandths); },
                   [added](const Ranges& r) { ToProto(r, added->mutable_ranges()); }},
        value);
  }
}

absl::StatusOr<Constraints> FromProto(const ConstraintList& list) {
  if (list.size() > limits::kConstraintsPerDemand) {
    return absl::InvalidArgumentError(absl::StrCat(list.size(), " constraints; at most ",
                                                   limits::kConstraintsPerDemand, " are allowed"));
  }
  Constraints out;
  for (const v1::Constraint& item : list) {
    Constraint::Test test;
    switch (item.test()) {
      case v1::Constraint::EXISTS:
        test = Constraint::Test::kExists;
        break;
      case v1::Constraint::EQUALS:
        test = Constraint::Test::kEquals;
        break;
      case v1::Constraint::IN:
        test = Constraint::Test::kIn;
        break;
      case v1::Constraint::MATCHES:
        test = Constraint::Test::kMatches;
        break;
      default:
        return absl::InvalidArgumentError(absl::StrCat("constraint on \"", item.fact(),
                                                       "\" has test ", item.test(),
                                                       "; expected EXISTS, EQUALS, IN or MATCHES"));
    }
    ASSIGN_OR_RETURN(Constraint constraint,
                     Constraint::Make(item.fact(), test, FromProto(item.values()), item.negated()));
    out.push_back(std::move(constraint));
  }
  return out;
}

void ToProto(const Constraints& constraints, ConstraintList* out) {
  for (const Constraint& constraint : constraints) {
    v1::Constraint* added = out->Add();
    added->set_fact(constraint.fact());
    switch (constraint.test()) {
      case Constraint::Test::kExists:
        added->set_test(v1::Constraint::EXISTS);
        break;
      case Constraint::Test::kEquals:
        added->set_test(v1::Constraint::EQUALS);
        break;
      case Constraint::Test::kIn:
        added->set_test(v1::Constraint::IN);
        break;
      case Constraint::Test::kMatches:
        added->set_test(v1::Constraint::MATCHES);
        break;
    }
    ToProto(constraint.values(), added->mutable_values());
    added->set_negated(constraint.negated());
  }
}

model::Version FromProto(const v1::Version& version) {
  return {version.major(), version.minor(), version.patch(), FromProto(version.capabilities())};
}

void ToProto(const model::Version& version, v1::Version* out) {
  out->set_major(version.major);
  out->set_minor(version.minor);
  out->set_patch(version.patch);
  ToProto(version.capabilities, out->mutable_capabilities());
}

}  // namespace proffer::convert
