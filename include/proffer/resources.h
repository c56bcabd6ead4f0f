// What a machine has and a task gets: exact, typed, with reservations.
//
// A Resource is one named value (scalar, ranges or set) together with everything that makes it
// not interchangeable with another of that name: the stack of reservations, the volume it is,
// whether it may be taken back (revocable) and whether several tasks may use it (shared).
// Resources is a canonical multiset of them: two are equal exactly if they are the same things.
//
// Text form:  item(;item)*   with   item = name(@role(=principal)?)*((qualifier,...))?:value
//   cpus:4;mem:8GiB;ports:[31000-32000];zones:{a,b}      unreserved
//   cpus@eng/prod:2                                        statically reserved to eng/prod
//   disk@eng=alice@eng/db=bob(volume=v1,path=data):10GiB   reserved twice, a persistent volume
//   cpus(revocable):1                                      may be taken back
// Qualifiers, in this order: revocable, shared, source=<root|path|mount>[:<path>], volume=<id>,
// path=<container path>. Principals, ids and paths are percent-encoded outside of
// [A-Za-z0-9._/-], and so are set items. Printing is canonical, and parsing the print gives the
// same value. Blanks around items and values are ignored; amounts of 0 and empty ranges and sets
// are left out; a source of root is not printed.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proffer/quantity.h"
#include "proffer/ranges.h"

namespace proffer {

struct Scalar {
  int64_t count = 0;  // In the unit of the resource's name; see quantity.h.
  friend auto operator<=>(const Scalar&, const Scalar&) = default;
};

using TextSet = std::set<std::string>;
using ResourceValue = std::variant<Scalar, Ranges, TextSet>;

// One level of a reservation. Each level's role is a strict descendant of the one before; only
// the outermost may be static.
struct Reservation {
  std::string role;
  std::string principal;  // Empty: static, made by the agent's configuration.
  friend auto operator<=>(const Reservation&, const Reservation&) = default;
};

enum class DiskSource { kRoot, kPath, kMount };

// What makes a piece of disk special: where it comes from, and whether it is a volume. A disk
// that is all default is the same as none. Volumes and whole mounts (kMount) are indivisible: they
// are contained, added and subtracted whole. A volume is reserved and not revocable.
struct Disk {
  DiskSource source = DiskSource::kRoot;
  std::string source_path;     // Of kPath and kMount: where the agent has it mounted.
  std::string volume_id;       // Not empty: a persistent volume.
  std::string container_path;  // Where tasks see the volume; relative.
  friend auto operator<=>(const Disk&, const Disk&) = default;
};

struct Resource {
  std::string name;
  ResourceValue value;
  std::vector<Reservation> reservations;  // Outermost first; empty: unreserved.
  std::optional<Disk> disk;
  bool revocable = false;
  bool shared = false;  // Volumes only. Several equal copies are several items of Resources.

  // The role that may use it: of the innermost reservation, or "*" when unreserved.
  const std::string& role() const;
  // Everything but the value is the same, so that values may be added.
  bool SameKind(const Resource& other) const;
  int64_t Count() const;  // In the unit of the name; see quantity.h for ranges and sets.

  std::string ToString() const;
  friend bool operator==(const Resource&, const Resource&) = default;
};

class Resources {
 public:
  Resources() = default;

  // Refuses, with the item and the reason: unknown syntax, a value of the wrong form for a
  // predefined name (cpus, mem, disk, gpus are scalars, ports is ranges), negative or
  // overflowing numbers, more than 3 decimals, fractions of a gpu, invalid names or roles,
  // reservations that do not refine, duplicate set items, texts above 64 KiB or not in UTF-8.
  static absl::StatusOr<Resources> Parse(absl::string_view text);
  std::string ToString() const;  // "" when empty.
  // From items in any order, by the rules of Add.
  static absl::StatusOr<Resources> Make(std::vector<Resource> items);

  // INVALID_ARGUMENT when `resource` breaks a rule of the model, or has another form than what
  // is there of its name; OUT_OF_RANGE when all that has its name would overflow; ALREADY_EXISTS
  // when range or set items, a mount or a volume (that is not shared) are there already. *this is
  // unchanged on error.
  absl::Status Add(Resource resource);
  absl::Status Add(const Resources& other);
  // All of `other` must be contained, else FAILED_PRECONDITION and nothing happens.
  absl::Status Subtract(const Resources& other);

  bool Contains(const Resources& other) const;
  bool empty() const { return items_.empty(); }

  // The amounts of each kind, whatever their reservation.
  Quantities ToQuantities() const;
  // The part that a framework of `role` may be offered: unreserved, or reserved to the role or
  // to an ancestor of it.
  Resources AllocatableTo(absl::string_view role) const;
  // The part reserved exactly to `role`; "*" for the unreserved part.
  Resources ReservedTo(absl::string_view role) const;
  // What Pick chooses from: no revocable ones, and no disks with a source or volume of their own.
  Resources Interchangeable() const;
  // Chooses concrete resources of the amounts asked, from what is reserved exactly to `role`:
  // lowest ports and first set items first, Interchangeable ones only.
  // RESOURCE_EXHAUSTED, naming the kind that is short, if there is not enough.
  absl::StatusOr<Resources> Pick(const Quantities& amounts, absl::string_view role) const;
  // The same from everything in here, unreserved first: what a task takes from an offer.
  absl::StatusOr<Resources> Pick(const Quantities& amounts) const;

  // In canonical order (name, reservations, disk, revocable, shared).
  const std::vector<Resource>& items() const& { return items_; }
  std::vector<Resource> items() && { return std::move(items_); }
  friend bool operator==(const Resources&, const Resources&) = default;

 private:
  absl::StatusOr<Resources> PickFrom(const Quantities& amounts,
                                     const absl::string_view* role) const;

  std::vector<Resource> items_;
};

std::ostream& operator<<(std::ostream& os, const Resource& r);
std::ostream& operator<<(std::ostream& os, const Resources& r);

// OK, or what is wrong with a role name. Rules (those of Mesos): "*" alone, or components
// separated by single '/', none empty, ".", ".." or "*", none starting with '-', no white space
// or control characters; Proffer adds: at most 256 bytes, of [A-Za-z0-9._-] per component.
absl::Status ValidateRole(absl::string_view role);
// True for `role` itself and for everything below it.
bool IsSameOrDescendant(absl::string_view role, absl::string_view ancestor);
// OK, or what is wrong with a resource or attribute name: [A-Za-z][A-Za-z0-9_.-]{0,62}.
absl::Status ValidateName(absl::string_view name);

}  // namespace proffer
