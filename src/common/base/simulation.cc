// The run time of MAYBE, REACHED and MUTANT.
#include "common/base/simulation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/prng.h"

// Begin and end of the section that the sites' pointers are in; there is none without a site.
extern "C" {
extern proffer::simulation::Site* __start_proffer_sites[] __attribute__((weak));
extern proffer::simulation::Site* __stop_proffer_sites[] __attribute__((weak));
}

namespace proffer::simulation {
namespace {

bool InOrder(const Site* a, const Site* b) {
  const int names = a->name().compare(b->name());
  if (names != 0) return names < 0;
  const int files = std::strcmp(a->file(), b->file());
  return files != 0 ? files < 0 : a->line() < b->line();
}

// In an order that does not depend on where the linker put them.
const std::vector<Site*>& Sites() {
  static const std::vector<Site*>* const sites = [] {
    auto* all = new std::vector<Site*>;
    for (Site** site = __start_proffer_sites; site != __stop_proffer_sites; ++site) {
      if (*site != nullptr) all->push_back(*site);
    }
    std::sort(all->begin(), all->end(), InOrder);
    return all;
  }();
  return *sites;
}

std::vector<Place> PlacesOf(Site::Kind kind) {
  std::vector<Place> places;
  for (const Site* site : Sites()) {
    if (site->kind() != kind) continue;
    if (places.empty() || places.back().name != site->name()) {
      places.push_back({std::string(site->name()), site->file(), site->line(), 0});
    }
    places.back().count += site->count();
  }
  return places;
}

// FNV-1a, continued over the name and the site's place among those of that name.
uint64_t SeedOf(uint64_t seed, absl::string_view name, uint64_t same_name) {
  uint64_t hash = 0xcbf29ce484222325u ^ seed;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return (hash ^ same_name) * 0x100000001b3u;
}

}  // namespace

void BeginRun(uint64_t seed, bool misbehave) {
  absl::string_view name;
  uint64_t same_name = 0;
  for (Site* site : Sites()) {
    if (site->kind() != Site::Kind::kMaybe) continue;
    same_name = site->name() == name ? same_name + 1 : 0;
    name = site->name();
    Prng prng(SeedOf(seed, name, same_name));
    const bool on = misbehave && prng.Chance(1, 4);
    // Mostly now and then; sometimes nearly always.
    const int64_t per_thousand = prng.Chance(1, 4) ? prng.Between(300, 900) : prng.Between(5, 200);
    site->SetOn(on);
    site->Misbehave(prng.Next(), static_cast<uint32_t>(per_thousand));
  }
}

void EndRun() { BeginRun(0, false); }

std::vector<Place> Probes() { return PlacesOf(Site::Kind::kProbe); }
std::vector<Place> Maybes() { return PlacesOf(Site::Kind::kMaybe); }

std::vector<std::string> Mutants() {
  std::vector<std::string> names;
  for (Place& place : PlacesOf(Site::Kind::kMutant)) names.push_back(std::move(place.name));
  return names;
}

bool SwitchOn(absl::string_view mutant) {
  bool found = false;
  for (Site* site : Sites()) {
    if (site->kind() != Site::Kind::kMutant || site->name() != mutant) continue;
    site->SetOn(true);
    found = true;
  }
  return found;
}

void SwitchOff() {
  for (Site* site : Sites()) {
    if (site->kind() == Site::Kind::kMutant) site->SetOn(false);
  }
}

void Site::Misbehave(uint64_t seed, uint32_t per_thousand) {
  seed_ = seed;
  per_thousand_ = per_thousand;
  draws_ = 0;
}

bool Site::Draw() {
  if (!Prng(seed_ + draws_++).Chance(per_thousand_, 1000)) return false;
  Count();
  return true;
}

}  // namespace proffer::simulation
