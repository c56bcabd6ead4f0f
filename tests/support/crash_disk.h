// A disk that remembers every change in order, and can say what it holds after a crash between any
// two of them: which names and which bytes survive is the choice of whoever asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace proffer::testing {

// Files of one directory by name.
using DiskImage = std::map<std::string, std::string>;

// One system call.
struct DiskChange {
  enum class Kind { kCreate, kWrite, kSync, kSyncNames, kRename, kRemove };
  Kind kind = Kind::kWrite;
  std::string name;
  std::string text;  // What is written, or the new name.
};

// What of that which was not synced survives.
enum class Survives {
  kEverything,  // A process that was killed.
  kSynced,      // The least that may be there: bytes of synced files, names of a synced directory.
  kNames,       // Files are made, renamed and removed as they were, and hold what was synced.
  kRemovals,    // Of the names only that some are gone.
};

class CrashDisk {
 public:
  // Begins with these files, all durable.
  explicit CrashDisk(const DiskImage& image = {});

  void Apply(const DiskChange& change);

  // After a crash now. `torn` bytes of what was written last survive as well, if it was not synced
  // and its file has a name.
  DiskImage Image(Survives survives, size_t torn = 0) const;
  // Of the bytes written last, if they are not synced.
  size_t unsynced() const;

 private:
  struct File {
    std::string bytes;
    size_t synced = 0;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;

  Names now_;
  Names durable_;
  std::shared_ptr<File> last_;  // Written last.
  size_t last_from_ = 0;        // Where that began.
};

}  // namespace proffer::testing
