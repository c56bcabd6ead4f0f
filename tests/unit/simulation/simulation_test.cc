#include "common/base/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/simulation/places.h"

namespace proffer {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;

uint64_t CountOf(const std::vector<simulation::Place>& places, const std::string& name) {
  for (const simulation::Place& place : places) {
    if (place.name == name) return place.count;
  }
  ADD_FAILURE() << "no place is named " << name;
  return 0;
}

std::string Names(const std::vector<simulation::Place>& places) {
  std::string names;
  for (const simulation::Place& place : places) names += place.name + ";";
  return names;
}

// What a run of that seed does, as 0 to 3 for each of `times` acts.
std::vector<int> Live(uint64_t seed, bool misbehave = true, int times = 200) {
  simulation::BeginRun(seed, misbehave);
  std::vector<int> done;
  for (int i = 0; i < times; ++i) {
    const Did did = Act();
    done.push_back((did.one ? 1 : 0) + (did.another ? 2 : 0));
  }
  simulation::EndRun();
  return done;
}

TEST(Simulation, EveryPlaceIsKnownThoughItIsNeverExecuted) {
  EXPECT_EQ(Names(simulation::Probes()),
            "a place in the middle;a place where nobody comes;an end;");
  EXPECT_EQ(Names(simulation::Maybes()), "another;never;one;");
  EXPECT_THAT(simulation::Mutants(), ElementsAre("bad-sum", "unused", "worse-sum"));
  EXPECT_EQ(CountOf(simulation::Probes(), "a place where nobody comes"), 0u);
  for (const simulation::Place& place : simulation::Probes()) {
    EXPECT_THAT(place.file, EndsWith("places.cc"));
    EXPECT_GT(place.line, 0);
  }
}

TEST(Simulation, AProbeCountsOverAllItsSites) {
  const uint64_t before = CountOf(simulation::Probes(), "a place in the middle");
  Pass(true);
  Pass(false);
  Pass(false);
  EXPECT_EQ(CountOf(simulation::Probes(), "a place in the middle"), before + 3);
}

TEST(Simulation, TheSameSeedDrawsTheSame) {
  int different = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const std::vector<int> once = Live(seed);
    EXPECT_EQ(Live(seed), once) << "seed " << seed;
    different += Live(seed + 1'000'000) != once ? 1 : 0;
  }
  EXPECT_GT(different, 5);
}

TEST(Simulation, AboutOneInFourRunsHasAPlaceMisbehave) {
  const uint64_t before = CountOf(simulation::Maybes(), "one");
  int runs = 0;
  int both = 0;
  uint64_t fired = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    bool one = false;
    bool another = false;
    for (int done : Live(seed)) {
      one = one || (done & 1) != 0;
      another = another || (done & 2) != 0;
      fired += done & 1;
    }
    runs += one ? 1 : 0;
    both += one && another ? 1 : 0;
  }
  EXPECT_GT(runs, 180);
  EXPECT_LT(runs, 320);
  // Places are drawn apart: both misbehave in about one of sixteen runs.
  EXPECT_GT(both, 25);
  EXPECT_LT(both, 110);
  EXPECT_EQ(CountOf(simulation::Maybes(), "one") - before, fired);
  EXPECT_EQ(CountOf(simulation::Maybes(), "never"), 0u);
}

TEST(Simulation, NothingMisbehavesOutsideOfARunOrWhenTold) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    for (int done : Live(seed, /*misbehave=*/false)) EXPECT_EQ(done, 0);
    Live(seed);
    const Did did = Act();
    EXPECT_FALSE(did.one || did.another);
  }
}

TEST(Simulation, MutantsAreSwitchedOneByOne) {
  EXPECT_EQ(OneAndOne(), 2);
  EXPECT_TRUE(simulation::SwitchOn("bad-sum"));
  EXPECT_EQ(OneAndOne(), 3);
  EXPECT_FALSE(simulation::SwitchOn("no such mutant"));
  EXPECT_TRUE(simulation::SwitchOn("worse-sum"));
  EXPECT_EQ(OneAndOne(), 103);
  simulation::BeginRun(1, true);
  simulation::EndRun();
  EXPECT_EQ(OneAndOne(), 103);
  simulation::SwitchOff();
  EXPECT_EQ(OneAndOne(), 2);
}

}  // namespace
}  // namespace proffer
