// What a launcher may do, from a file that only root (or who runs the launcher) can write.
//
//   # lines like these; # begins a comment
//   socket = /run/proffer/launcher/socket     where the agent finds it; its directory is made 0700
//   agent_uid = 990                           the only user that is listened to
//   run_root = /run/proffer/agent             where containers' run directories lie
//   sandbox_root = /var/lib/proffer/sandboxes where sandboxes lie
//   cgroup_root = proffer                     below every cgroup tree; ours alone
//   isolation = auto                          or: posix (neither cgroups nor namespaces)
//   unified = yes                             or: no, as if there were no v2 tree
//   users = 1000-59999 65534                  who tasks may run as; "any" includes root
//   capabilities = NET_BIND_SERVICE           what tasks may keep
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace proffer::launcher {

struct Config {
  std::string socket;
  uint32_t agent_uid = 0;
  std::string run_root;
  std::string sandbox_root;
  std::string cgroup_root = "proffer";
  bool posix_only = false;
  bool use_unified = true;
  std::vector<std::pair<uint32_t, uint32_t>> users;  // Inclusive ranges of uids.
  uint64_t capabilities = 0;
};

// Each returns what was expected and what was found, or "".
std::string ParseConfig(const std::string& text, Config* config);
// Reads a file that nobody but root and ourselves can change.
std::string ReadConfig(const std::string& path, Config* config);

}  // namespace proffer::launcher
