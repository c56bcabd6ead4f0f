// Raw system calls: the C library would tell other threads, and there are none.
#include "isolator/process/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isolator/process/capability.h"

namespace proffer::isolator {
namespace {

int SetCapabilities(uint64_t permitted, uint64_t inheritable) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int half = 0; half < 2; ++half) {
    data[half].permitted = data[half].effective = static_cast<uint32_t>(permitted >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(inheritable >> (32 * half));
  }
  return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

}  // namespace

int BecomeUser(uint32_t uid, uint32_t gid, const std::vector<uint32_t>& groups) {
  if (syscall(SYS_setgroups, groups.size(), groups.data()) != 0) return errno;
  if (syscall(SYS_setresgid, gid, gid, gid) != 0) return errno;
  if (syscall(SYS_setresuid, uid, uid, uid) != 0) return errno;
  return 0;
}

int LimitCapabilities(uint64_t keep, uint64_t held) {
  for (int i = 0; i < 64; ++i) {
    if ((keep >> i & 1) != 0 || (held >> i & 1) == 0) continue;
    // EINVAL: the kernel knows no such capability, and none above it.
    if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) {
      if (errno == EINVAL) break;
      return errno;
    }
  }
  if (keep != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return errno;
  return 0;
}

int RaiseCapabilities(uint64_t keep) {
  if (const int error = SetCapabilities(keep, keep)) return error;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int i = 0; i < kCapabilityCount; ++i) {
    if ((keep >> i & 1) == 0) continue;
    // Through exec of a program that has none itself.
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0) return errno;
  }
  return 0;
}

int HoldOnly(uint64_t capabilities) { return SetCapabilities(capabilities, 0); }

}  // namespace proffer::isolator
