#include "common/base/prng.h"

namespace proffer {
namespace {

uint64_t RotateLeft(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// SplitMix64 spreads any seed, also 0 and 1, over the whole state.
uint64_t SplitMix(uint64_t* x) {
  uint64_t z = (*x += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Prng::Prng(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix(&seed);
}

uint64_t Prng::Next() {
  const uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = RotateLeft(state_[3], 45);
  return result;
}

uint64_t Prng::Below(uint64_t bound) {
  // Rejection keeps it exactly uniform; the loop runs once nearly always.
  const uint64_t threshold = -bound % bound;
  while (true) {
    const uint64_t x = Next();
    if (x >= threshold) return x % bound;
  }
}

int64_t Prng::Between(int64_t low, int64_t high) {
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  if (span == 0) return static_cast<int64_t>(Next());
  return static_cast<int64_t>(static_cast<uint64_t>(low) + Below(span));
}

bool Prng::Chance(uint32_t numerator, uint32_t denominator) {
  return Below(denominator) < numerator;
}

std::string Prng::Word(int length) {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string word;
  for (int i = 0; i < length; ++i) word.push_back(kDigits[Below(36)]);
  return word;
}

}  // namespace proffer
