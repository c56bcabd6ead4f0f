// Implementation of random_values.h.
#include "unit/values/random_values.h"

#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace proffer {
namespace {

constexpr char kSyntax[] = ";:,@=()[]{}%-./ *!~\"\\\n\t";

template <size_t N>
std::string OneOf(Prng* prng, const std::array<const char*, N>& pool) {
  return pool[prng->Below(N)];
}

std::string RandomPath(Prng* prng) {
  std::string path;
  for (int64_t i = prng->Between(1, 3); i > 0; --i) {
    path += (path.empty() ? "" : "/") + prng->Word(2) + (prng->Chance(1, 4) ? " %" : "");
  }
  return path;
}

std::vector<Reservation> RandomReservations(Prng* prng) {
  std::vector<Reservation> stack;
  if (prng->Chance(1, 2)) return stack;
  Reservation level;
  level.role = OneOf<3>(prng, {"eng", "ops", "e.n_g"});
  if (prng->Chance(1, 2)) level.principal = RandomText(prng, 1, 6);
  stack.push_back(level);
  while (prng->Chance(1, 3)) {
    level.role += OneOf<3>(prng, {"/prod", "/a/b", "/x-1"});
    level.principal = prng->Chance(1, 2) ? "alice" : RandomText(prng, 1, 6);
    stack.push_back(level);
  }
  return stack;
}

int64_t RandomCount(Prng* prng) {
  switch (prng->Below(5)) {
    case 0:
      return prng->Between(1, 9);
    case 1:
      return prng->Between(1, 64) << 30;
    case 2:
      return prng->Between(1, 64) * 1'000'000;
    case 3:
      return prng->Between(1, 4'000);
    default:
      return prng->Between(1, int64_t{1} << 50);
  }
}

TextSet RandomSet(Prng* prng) {
  TextSet set;
  for (int64_t i = prng->Between(1, 4); i > 0; --i) {
    set.insert(prng->Chance(1, 2) ? prng->Word(1) : RandomText(prng, 1, 5));
  }
  return set;
}

void MakeDisk(Prng* prng, Resource* resource) {
  Disk disk;
  disk.source = static_cast<DiskSource>(prng->Below(3));
  if (disk.source != DiskSource::kRoot) disk.source_path = "/" + RandomPath(prng);
  if (!resource->reservations.empty() && prng->Chance(2, 3)) {
    disk.volume_id = "v" + prng->Word(1) + (prng->Chance(1, 4) ? " ;%" : "");
    disk.container_path = RandomPath(prng);
    resource->revocable = false;
    resource->shared = prng->Chance(1, 2);
  }
  if (disk != Disk()) resource->disk = disk;
}

}  // namespace

void AppendRandomCharacter(Prng* prng, std::string* text) {
  constexpr uint64_t kEnds[] = {0x80, 0x800, 0x10000, 0x110000};
  uint64_t c = prng->Below(kEnds[prng->Below(4)]);
  if (c >= 0xD800 && c < 0xE000) c = 0xFFFD;  // Surrogates are no characters.
  const auto tail = [text](uint64_t bits) {
    text->push_back(static_cast<char>(0x80 | (bits & 63)));
  };
  if (c < 0x80) {
    text->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    text->push_back(static_cast<char>(0xC0 | c >> 6));
    tail(c);
  } else if (c < 0x10000) {
    text->push_back(static_cast<char>(0xE0 | c >> 12));
    tail(c >> 6);
    tail(c);
  } else {
    text->push_back(static_cast<char>(0xF0 | c >> 18));
    tail(c >> 12);
    tail(c >> 6);
    tail(c);
  }
}

std::string RandomText(Prng* prng, int least, int most) {
  std::string text;
  for (int64_t i = prng->Between(least, most); i > 0; --i) {
    switch (prng->Below(3)) {
      case 0:
        text.push_back(kSyntax[prng->Below(sizeof(kSyntax) - 1)]);
        break;
      case 1:
        AppendRandomCharacter(prng, &text);
        break;
      default:
        text += prng->Word(1);
    }
  }
  return text;
}

Ranges RandomRanges(Prng* prng) {
  std::vector<Range> ranges;
  for (int64_t i = prng->Between(1, 5); i > 0; --i) {
    const auto first = static_cast<uint64_t>(prng->Between(0, 60));
    ranges.push_back({first, first + static_cast<uint64_t>(prng->Between(0, 9))});
  }
  return Ranges(std::move(ranges));
}

Resource RandomResource(Prng* prng) {
  Resource resource;
  resource.name = OneOf<7>(prng, {"cpus", "mem", "disk", "gpus", "ports", "zones", "x_1.y-z"});
  resource.reservations = RandomReservations(prng);
  resource.revocable = prng->Chance(1, 5);
  if (resource.name == "ports") {
    resource.value = RandomRanges(prng);
  } else if (resource.name == "zones") {
    resource.value = RandomSet(prng);
  } else {
    resource.value = Scalar{RandomCount(prng)};
    if (resource.name == "disk" && prng->Chance(1, 2)) MakeDisk(prng, &resource);
  }
  return resource;
}

Resources RandomResources(Prng* prng, int most) {
  Resources resources;
  for (int64_t i = prng->Between(0, most); i > 0; --i) {
    const Resource resource = RandomResource(prng);
    // Range and set values may be there already.
    if (!resources.Add(resource).ok()) continue;
    if (resource.shared && prng->Chance(1, 2)) {
      static_cast<void>(resources.Add(resource));
    }
  }
  return resources;
}

Resources RandomPart(Prng* prng, const Resources& whole) {
  std::vector<Resource> items;
  for (Resource item : whole.items()) {
    if (prng->Chance(1, 3)) continue;
    const bool whole_only = item.disk.has_value() && (item.disk->source == DiskSource::kMount ||
                                                      !item.disk->volume_id.empty());
    if (!whole_only && prng->Chance(1, 2)) {
      if (auto* scalar = std::get_if<Scalar>(&item.value)) {
        scalar->count = prng->Between(0, scalar->count);
      } else if (auto* ranges = std::get_if<Ranges>(&item.value)) {
        ranges->Subtract(RandomRanges(prng));
      } else {
        TextSet& set = std::get<TextSet>(item.value);
        set.erase(std::next(set.begin(), static_cast<int64_t>(prng->Below(set.size()))));
      }
    }
    items.push_back(std::move(item));
  }
  return *Resources::Make(std::move(items));
}

Attributes RandomAttributes(Prng* prng) {
  Attributes attributes;
  for (int64_t i = prng->Between(0, 5); i > 0; --i) {
    AttributeValue value;
    switch (prng->Below(4)) {
      case 0:
        value = AttributeNumber{RandomCount(prng)};
        break;
      case 1:
        value = RandomRanges(prng);
        break;
      case 2:  // Texts that read like the other two.
        value = OneOf<6>(prng, {"3", "1.5", "[1-2]", "007", " 3 ", "[x"});
        break;
      default:
        value = RandomText(prng, 1, 8);
    }
    static_cast<void>(attributes.Set("a" + prng->Word(1), std::move(value)));
  }
  return attributes;
}

Constraint RandomConstraint(Prng* prng) {
  const auto test = static_cast<Constraint::Test>(prng->Below(4));
  std::vector<std::string> values;
  if (test == Constraint::Test::kMatches) {
    values.push_back(OneOf<5>(prng, {"r[0-9]+", "a|b", " x ", "%20{2,3}", "\\d* in {a}"}));
  } else if (test != Constraint::Test::kExists) {
    values.push_back(RandomText(prng, 1, 6));
    while (test == Constraint::Test::kIn && prng->Chance(1, 2)) {
      values.push_back(RandomText(prng, 1, 6));
    }
  }
  return *Constraint::Make("a" + prng->Word(1), test, std::move(values), prng->Chance(1, 2));
}

}  // namespace proffer
