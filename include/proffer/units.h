// Literals for amounts of memory and disk: 32_MiB is 33554432 bytes.
//
//   using namespace proffer::literals;
#pragma once

#include <cstdint>

namespace proffer {
inline namespace literals {

constexpr int64_t operator""_KiB(unsigned long long n) { return static_cast<int64_t>(n) << 10; }
constexpr int64_t operator""_MiB(unsigned long long n) { return static_cast<int64_t>(n) << 20; }
constexpr int64_t operator""_GiB(unsigned long long n) { return static_cast<int64_t>(n) << 30; }
constexpr int64_t operator""_TiB(unsigned long long n) { return static_cast<int64_t>(n) << 40; }

}  // namespace literals
}  // namespace proffer
