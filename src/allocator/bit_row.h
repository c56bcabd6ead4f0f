// A row of bits over dense ids: which agents, or which clients. Grows when a bit is set; what is
// beyond its end is clear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace proffer::allocator {

class BitRow {
 public:
  static constexpr uint32_t kBits = 64;

  void Set(uint32_t i) {
    const size_t word = i / kBits;
    if (word >= words_.size()) words_.resize(word + 1, 0);
    words_[word] |= Mask(i);
  }
  void Clear(uint32_t i) {
    const size_t word = i / kBits;
    if (word < words_.size()) words_[word] &= ~Mask(i);
  }
  void Put(uint32_t i, bool value) { value ? Set(i) : Clear(i); }
  bool Test(uint32_t i) const { return (Word(i / kBits) & Mask(i)) != 0; }

  uint64_t Word(size_t word) const { return word < words_.size() ? words_[word] : 0; }
  size_t words() const { return words_.size(); }
  void ClearWord(size_t word) { words_[word] = 0; }

  bool None() const {
    for (uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }
  uint32_t Count() const {
    uint32_t count = 0;
    for (uint64_t word : words_) count += static_cast<uint32_t>(__builtin_popcountll(word));
    return count;
  }
  // Clears all and gives the memory back.
  void Reset() { std::vector<uint64_t>().swap(words_); }
  void Swap(BitRow* other) { words_.swap(other->words_); }

  // Calls `f(i)` for every bit set, in order. `f` may clear bits.
  template <typename F>
  void ForEach(F f) const {
    for (size_t w = 0; w < words_.size(); ++w) {
      ForEachInWord(words_[w], static_cast<uint32_t>(w), f);
    }
  }
  template <typename F>
  static void ForEachInWord(uint64_t bits, uint32_t word, F f) {
    for (; bits != 0; bits &= bits - 1) {
      f(word * kBits + static_cast<uint32_t>(__builtin_ctzll(bits)));
    }
  }

 private:
  static uint64_t Mask(uint32_t i) { return uint64_t{1} << (i % kBits); }

  std::vector<uint64_t> words_;
};

}  // namespace proffer::allocator
