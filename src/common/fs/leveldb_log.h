// Looks at LevelDB's logs before LevelDB does. Even with paranoid checks it takes a record whose
// length field was damaged for one that a crash cut short, and drops it with all that follows in
// that block, without a word. A record that was really cut short has a checksum that fits no part
// of it; one with a damaged length has a checksum that fits its true length.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "leveldb/env.h"

namespace proffer {

// DATA_LOSS when records of this log (or manifest, which has the same form) would be dropped in
// silence.
absl::Status CheckLevelDbLog(absl::string_view bytes);

// DATA_LOSS when files that LevelDB made are not there any more. It would itself take a store
// without CURRENT for a new one, and miss no log. UNAVAILABLE when the disk does not say.
absl::Status CheckLevelDbFiles(leveldb::Env* env, const std::string& directory);

// The same as CheckLevelDbLog for every log and manifest in `directory`; OK when there is none.
// UNAVAILABLE when one cannot be read.
absl::Status CheckLevelDbLogs(leveldb::Env* env, const std::string& directory);

}  // namespace proffer
