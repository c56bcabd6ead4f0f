// An ext4 file system of its own, in memory, whose power can be cut and that can be filled: what a
// disk may do to a daemon. Mounted with noauto_da_alloc, so that ext4 does not forgive a rename
// without a sync. Needs root.
//
// Mounts are made in a mount namespace of the test's own, from the first disk on, and the file
// behind them has no name: whatever becomes of the test, the kernel leaves nothing of them.
#pragma once

#include <string>

namespace proffer::testing {

class LoopDisk {
 public:
  // Why there can be no such disk on this machine, as a sentence; empty: there can.
  static std::string Missing();

  // Empty, and mounted at `directory`, which exists. From the main thread.
  LoopDisk(std::string directory, int mib);
  // Whoever still has files open on it must be gone soon.
  ~LoopDisk();
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  // What was not synced is lost; until Remount all that is asked of the disk fails with EIO.
  void CutPower() const;
  // Back from what is really there. Everybody who has files open on it is gone.
  void Remount();
  // To the last byte.
  void Fill() const;
  // There is room again.
  void MakeRoom() const;

 private:
  void Mount() const;
  void Unmount() const;

  const std::string directory_;
  int image_ = -1;
};

}  // namespace proffer::testing
