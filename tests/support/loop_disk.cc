#include "support/loop_disk.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace proffer::testing {
namespace {

// FS_IOC_SHUTDOWN and its "do not flush the log", which no header of Debian's has.
constexpr unsigned long kShutdown = _IOR('X', 125, uint32_t);
constexpr uint32_t kNoLogFlush = 2;

constexpr char kMakeFs[] = "/usr/sbin/mkfs.ext4";

// A free loop device with that file behind it; it goes with its last user.
int Attach(int image, std::string* device) {
  const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  PCHECK(control >= 0) << "/dev/loop-control";
  loop_config config = {};
  config.fd = static_cast<uint32_t>(image);
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  for (int tries = 0; tries < 100; ++tries) {
    const int number = ioctl(control, LOOP_CTL_GET_FREE);
    PCHECK(number >= 0) << "no free loop device";
    *device = absl::StrCat("/dev/loop", number);
    const int fd = open(device->c_str(), O_RDWR | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
      close(control);
      return fd;
    }
    if (fd >= 0) close(fd);  // Somebody else was quicker.
  }
  LOG(FATAL) << "no loop device could be had";
}

void OwnMountNamespace() {
  static const bool once = [] {
    PCHECK(unshare(CLONE_NEWNS) == 0);
    PCHECK(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

std::string LoopDisk::Missing() {
  if (geteuid() != 0) return "only root can mount a disk";
  if (access("/dev/loop-control", R_OK | W_OK) != 0) return "there are no loop devices";
  if (access(kMakeFs, X_OK) != 0) return "there is no mkfs.ext4";
  std::ifstream known("/proc/filesystems");
  const std::string text{std::istreambuf_iterator<char>(known), std::istreambuf_iterator<char>()};
  return absl::StrContains(text, "\text4\n") ? "" : "the kernel has no ext4";
}

LoopDisk::LoopDisk(std::string directory, int mib) : directory_(std::move(directory)) {
  OwnMountNamespace();
  image_ = memfd_create("disk", MFD_CLOEXEC);
  PCHECK(image_ >= 0);
  PCHECK(ftruncate(image_, int64_t{mib} << 20) == 0);
  // No byte is reserved for root, so that a full disk is full for everybody.
  const std::string make = absl::StrCat(kMakeFs, " -q -F -m 0 -J size=4 -E lazy_itable_init=0",
                                        ",lazy_journal_init=0 /proc/", getpid(), "/fd/", image_);
  CHECK_EQ(std::system(make.c_str()), 0) << make;
  Mount();
}

LoopDisk::~LoopDisk() {
  Unmount();
  close(image_);
}

void LoopDisk::Mount() const {
  std::string device;
  const int fd = Attach(image_, &device);
  PCHECK(mount(device.c_str(), directory_.c_str(), "ext4", 0, "commit=1,noauto_da_alloc") == 0)
      << device << " on " << directory_;
  close(fd);
}

void LoopDisk::Unmount() const {
  // The files of processes that were killed are closed a moment later.
  for (int tries = 0; tries < 10'000; ++tries) {
    if (umount2(directory_.c_str(), 0) == 0) return;
    PCHECK(errno == EBUSY) << directory_;
    usleep(1'000);
  }
  LOG(ERROR) << directory_ << " is in use and stays until whoever uses it ends";
  umount2(directory_.c_str(), MNT_DETACH);
}

void LoopDisk::CutPower() const {
  const int fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  PCHECK(fd >= 0) << directory_;
  PCHECK(ioctl(fd, kShutdown, &kNoLogFlush) == 0) << directory_;
  close(fd);
}

void LoopDisk::Remount() {
  Unmount();
  Mount();
}

void LoopDisk::Fill() const {
  const int fd = open((directory_ + "/filler").c_str(),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_SYNC, 0600);
  PCHECK(fd >= 0) << directory_;
  for (size_t size = 1 << 20; size > 0;) {
    const std::vector<char> bytes(size, 'x');
    if (write(fd, bytes.data(), size) <= 0) {
      PCHECK(errno == ENOSPC) << directory_;
      size /= 2;
    }
  }
  close(fd);
}

void LoopDisk::MakeRoom() const { PCHECK(unlink((directory_ + "/filler").c_str()) == 0); }

}  // namespace proffer::testing
