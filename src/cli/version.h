// The version of this program.
#pragma once

namespace proffer::cli {

// The same as that of the project in CMakeLists.txt, which hands it in.
inline constexpr char kVersion[] = PROFFER_VERSION;

}  // namespace proffer::cli
