#include "support/crash_disk.h"

#include <glog/logging.h>

#include <algorithm>

namespace proffer::testing {

CrashDisk::CrashDisk(const DiskImage& image) {
  for (const auto& [name, bytes] : image) {
    now_[name] = std::make_shared<File>(File{bytes, bytes.size()});
  }
  durable_ = now_;
}

void CrashDisk::Apply(const DiskChange& change) {
  switch (change.kind) {
    case DiskChange::Kind::kCreate:
      // A file of that name is emptied; its durable bytes are not missed before it is synced.
      now_[change.name] = std::make_shared<File>();
      return;
    case DiskChange::Kind::kWrite:
      last_ = now_.at(change.name);
      last_from_ = last_->bytes.size();
      last_->bytes += change.text;
      return;
    case DiskChange::Kind::kSync: {
      File& file = *now_.at(change.name);
      file.synced = file.bytes.size();
      return;
    }
    case DiskChange::Kind::kSyncNames:
      durable_ = now_;
      return;
    case DiskChange::Kind::kRename:
      now_[change.text] = now_.at(change.name);
      now_.erase(change.name);
      return;
    case DiskChange::Kind::kRemove:
      CHECK_EQ(now_.erase(change.name), 1u) << change.name;
      return;
  }
}

size_t CrashDisk::unsynced() const {
  if (last_ == nullptr) return 0;
  return last_->bytes.size() - std::max(last_from_, last_->synced);
}

DiskImage CrashDisk::Image(Survives survives, size_t torn) const {
  const bool names_of_now = survives == Survives::kEverything || survives == Survives::kNames;
  DiskImage image;
  for (const auto& [name, file] : names_of_now ? now_ : durable_) {
    if (survives == Survives::kRemovals && now_.count(name) == 0) continue;
    size_t length = survives == Survives::kEverything ? file->bytes.size() : file->synced;
    // What was written before it to the same file survives with it: a log is appended to.
    if (torn > 0 && file == last_) length = std::max(length, last_from_ + torn);
    image[name] = file->bytes.substr(0, length);
  }
  return image;
}

}  // namespace proffer::testing
