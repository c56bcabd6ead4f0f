#include "isolator/process/capability.h"

#include <cctype>

namespace proffer::isolator {
namespace {

// By number, as in linux/capability.h.
constexpr const char* kNames[kCapabilityCount] = {"CHOWN",
                                                  "DAC_OVERRIDE",
                                                  "DAC_READ_SEARCH",
                                                  "FOWNER",
                                                  "FSETID",
                                                  "KILL",
                                                  "SETGID",
                                                  "SETUID",
                                                  "SETPCAP",
                                                  "LINUX_IMMUTABLE",
                                                  "NET_BIND_SERVICE",
                                                  "NET_BROADCAST",
                                                  "NET_ADMIN",
                                                  "NET_RAW",
                                                  "IPC_LOCK",
                                                  "IPC_OWNER",
                                                  "SYS_MODULE",
                                                  "SYS_RAWIO",
                                                  "SYS_CHROOT",
                                                  "SYS_PTRACE",
                                                  "SYS_PACCT",
                                                  "SYS_ADMIN",
                                                  "SYS_BOOT",
                                                  "SYS_NICE",
                                                  "SYS_RESOURCE",
                                                  "SYS_TIME",
                                                  "SYS_TTY_CONFIG",
                                                  "MKNOD",
                                                  "LEASE",
                                                  "AUDIT_WRITE",
                                                  "AUDIT_CONTROL",
                                                  "SETFCAP",
                                                  "MAC_OVERRIDE",
                                                  "MAC_ADMIN",
                                                  "SYSLOG",
                                                  "WAKE_ALARM",
                                                  "BLOCK_SUSPEND",
                                                  "AUDIT_READ",
                                                  "PERFMON",
                                                  "BPF",
                                                  "CHECKPOINT_RESTORE"};

}  // namespace

int CapabilityNumber(const std::string& name) {
  std::string upper;
  for (const char letter : name) {
    upper.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(letter))));
  }
  if (upper.rfind("CAP_", 0) == 0) upper.erase(0, 4);
  for (int i = 0; i < kCapabilityCount; ++i) {
    if (upper == kNames[i]) return i;
  }
  return -1;
}

std::string CapabilityName(int number) {
  if (number < 0 || number >= kCapabilityCount) return "number " + std::to_string(number);
  return kNames[number];
}

}  // namespace proffer::isolator
