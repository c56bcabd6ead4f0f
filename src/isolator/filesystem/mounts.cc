#include "isolator/filesystem/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "isolator/filesystem/directory.h"

namespace proffer::isolator {
namespace {

std::string Why(const std::string& what) { return what + ": " + strerror(errno); }

// Only this mount and those below it, in this namespace.
bool MakeReadOnly(const char* path) {
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof(attributes)) ==
      0) {
    return true;
  }
  // Kernels before 5.12, where what is mounted below stays as it is.
  return mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
}

std::string Bind(const std::string& from, const std::string& to) {
  if (mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr) == 0) return "";
  return Why(to + " could not be made private");
}

std::string MakeDev(const std::string& devices) {
  std::string why = Bind(devices, "/dev");
  if (!why.empty()) return why;
  if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
            "newinstance,ptmxmode=0666,mode=0620") != 0) {
    return Why("/dev/pts could not be mounted");
  }
  if (mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) {
    return Why("/dev/shm could not be mounted");
  }
  return "";
}

std::string MakeTmp(const LaunchPlan& plan) {
  const int sandbox = OpenRealDirectory(plan.sandbox);
  if (sandbox < 0) return Why("the sandbox cannot be opened");
  const std::string held = "/proc/self/fd/" + std::to_string(sandbox);
  std::string why;
  for (const std::string& tmp : {std::string("/tmp"), std::string("/var/tmp")}) {
    if (!why.empty()) break;
    why = Bind(held + "/" + kTmpOfSandbox, tmp);
    // The sandbox itself must not be hidden by that.
    if (why.empty() && plan.sandbox.compare(0, tmp.size() + 1, tmp + "/") == 0) {
      MakePath(plan.sandbox, 0755);
      why = Bind(held, plan.sandbox);
    }
  }
  close(sandbox);
  return why;
}

std::string MakeProc() {
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return Why("/proc could not be mounted");
  }
  for (const char* masked :
       {"/proc/kcore", "/proc/keys", "/proc/sysrq-trigger", "/proc/timer_list"}) {
    if (mount("/dev/null", masked, nullptr, MS_BIND, nullptr) != 0 && errno != ENOENT) {
      return Why(std::string(masked) + " could not be masked");
    }
  }
  if (mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr) != 0 ||
      !MakeReadOnly("/proc/sys")) {
    return Why("/proc/sys could not be made read-only");
  }
  return "";
}

}  // namespace

std::string PrepareDevices(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return Why(path + " could not be made");
  if (mount("proffer-dev", path.c_str(), "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k") !=
      0) {
    return Why("a file system for /dev could not be mounted");
  }
  static constexpr struct {
    const char* name;
    unsigned minor;
    unsigned major;
  } kDevices[] = {{"null", 3, 1},   {"zero", 5, 1},    {"full", 7, 1},
                  {"random", 8, 1}, {"urandom", 9, 1}, {"tty", 0, 5}};
  for (const auto& device : kDevices) {
    const std::string node = path + "/" + device.name;
    if (mknod(node.c_str(), S_IFCHR, makedev(device.major, device.minor)) != 0 ||
        chmod(node.c_str(), 0666) != 0) {
      return Why(node + " could not be made");
    }
  }
  for (const char* directory : {"/pts", "/shm"}) mkdir((path + directory).c_str(), 0755);
  static constexpr const char* kLinks[][2] = {{"pts/ptmx", "/ptmx"},
                                              {"/proc/self/fd", "/fd"},
                                              {"/proc/self/fd/0", "/stdin"},
                                              {"/proc/self/fd/1", "/stdout"},
                                              {"/proc/self/fd/2", "/stderr"}};
  for (const auto& link : kLinks) {
    if (symlink(link[0], (path + link[1]).c_str()) != 0) return Why("a link could not be made");
  }
  // Nodes can be written all the same; new files cannot be made, by no container for another.
  if (mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
            nullptr) != 0) {
    return Why(path + " could not be made read-only");
  }
  return "";
}

std::string MakeMounts(const LaunchPlan& plan, const std::string& devices) {
  // What the machine unmounts goes away here too; nothing done here is seen there.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return Why("the file system could not be made private");
  }
  std::string why;
  for (const Mount one : plan.mounts) {
    switch (one) {
      case Mount::kPrivateDev:
        why = MakeDev(devices);
        break;
      case Mount::kPrivateTmp:
        why = MakeTmp(plan);
        break;
      case Mount::kProc:
        why = MakeProc();
        break;
      case Mount::kReadOnlySys:
        if (!MakeReadOnly("/sys")) why = Why("/sys could not be made read-only");
        break;
    }
    if (!why.empty()) return why;
  }
  return "";
}

}  // namespace proffer::isolator
