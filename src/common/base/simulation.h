// Places where the simulator reaches into the code under test: MAYBE, REACHED and MUTANT.
//
//   MAYBE("place")       bool. Where the code may legally behave at its worst: take a smaller
//                        batch, take an offer back early, send a duplicate where one is allowed.
//                        What it guards must be allowed by the contract; no judge may mind it.
//   REACHED("sentence")  Statement. Counts that an interleaving was met that some seed must meet.
//   MUTANT("name")       bool. A known mistake put back in, so that a judge can be seen to catch
//                        it. tests/sim/mutants.txt tells the story of each.
//   SIMULATED            bool. Guards what only leads to a REACHED and is not for nothing.
//
// In ordinary objects the conditions are the constant false and the statement is nothing: the
// code is the same as without them. Objects compiled with PROFFER_SIMULATION (CMake:
// proffer_library(... SIMULATED) makes NAME_simulated beside NAME) ask the run time at the end of
// this file, which only simulated objects are linked with (library common_simulation).
//
// A site is known even if it is never executed, so that a report can list it: it leaves a pointer
// in a section of the object file. For that it must stand in a function that is compiled exactly
// once: in a .cc file, no template (a generic lambda is one), and not inline with external linkage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#ifdef PROFFER_SIMULATION

// A pointer a site and not the site itself: compilers align and pad structures as they like.
#define PROFFER_SIMULATION_SITE(kind, name)                               \
  static constinit ::proffer::simulation::Site proffer_site(              \
      ::proffer::simulation::Site::Kind::kind, name, __FILE__, __LINE__); \
  __attribute__((section("proffer_sites"),                                \
                 used)) static ::proffer::simulation::Site* proffer_site_pointer = &proffer_site

#define SIMULATED true
#define MAYBE(place)                        \
  [] {                                      \
    PROFFER_SIMULATION_SITE(kMaybe, place); \
    return proffer_site.Fires();            \
  }()
#define REACHED(sentence)                      \
  [] {                                         \
    PROFFER_SIMULATION_SITE(kProbe, sentence); \
    proffer_site.Count();                      \
  }()
#define MUTANT(name)                        \
  [] {                                      \
    PROFFER_SIMULATION_SITE(kMutant, name); \
    return proffer_site.IsOn();             \
  }()

#else

#define SIMULATED false
#define MAYBE(place) false
#define REACHED(sentence) static_cast<void>(0)
#define MUTANT(name) false

#endif

namespace proffer::simulation {

// --- For the simulator ---
// THREAD: one, the one that runs the simulated code.

// Draws, for each MAYBE by its name, whether it misbehaves in this run (about one in four do) and
// how often. A place draws from a generator of its own, seeded by `seed` and its name: the same
// seed gives the same run whatever other places there are. Without `misbehave` none does.
void BeginRun(uint64_t seed, bool misbehave);
// From now on no MAYBE misbehaves.
void EndRun();

// A place that has a name; sites with the same name are one, where the first of them stands.
struct Place {
  std::string name;
  std::string file;
  int line = 0;
  uint64_t count = 0;  // Over all runs of the process.
};
std::vector<Place> Probes();  // By name; count: how often reached.
std::vector<Place> Maybes();  // By name; count: how often it misbehaved.

// The names of all mutants, in order.
std::vector<std::string> Mutants();
// Puts a mistake in, beside those that are in already; false if there is none of that name. Stays
// over the ends of runs.
bool SwitchOn(absl::string_view mutant);
// Takes all mistakes out.
void SwitchOff();

// --- For the macros ---

class Site {
 public:
  enum class Kind { kMaybe, kProbe, kMutant };

  constexpr Site(Kind kind, const char* name, const char* file, int line)
      : kind_(kind), name_(name), file_(file), line_(line) {}

  void Count() { ++count_; }
  bool IsOn() const { return on_; }
  bool Fires() { return on_ && Draw(); }

  Kind kind() const { return kind_; }
  absl::string_view name() const { return name_; }
  const char* file() const { return file_; }
  int line() const { return line_; }
  uint64_t count() const { return count_; }

  void SetOn(bool on) { on_ = on; }
  // Of a MAYBE: from now on it fires in `per_thousand` of a thousand cases, drawn from `seed`.
  void Misbehave(uint64_t seed, uint32_t per_thousand);

 private:
  bool Draw();

  const Kind kind_;
  const char* const name_;
  const char* const file_;
  const int line_;
  uint64_t count_ = 0;
  bool on_ = false;
  uint32_t per_thousand_ = 0;
  uint64_t seed_ = 0;
  uint64_t draws_ = 0;
};

}  // namespace proffer::simulation
