// A small seeded generator of our own (xoshiro256**, Blackman and Vigna 2018), so that the same
// seed gives the same world with every compiler and library. Not for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace proffer {

class Prng {
 public:
  explicit Prng(uint64_t seed);

  uint64_t Next();
  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [low, high], both included. REQUIRES: low <= high.
  int64_t Between(int64_t low, int64_t high);
  // True in `numerator` of `denominator` cases.
  bool Chance(uint32_t numerator, uint32_t denominator);
  // `length` characters of [0-9a-z], for the random part of identifiers.
  std::string Word(int length);

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace proffer
