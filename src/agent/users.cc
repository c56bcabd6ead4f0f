// The machine's users, by way of the C library.
#include "agent/users.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace proffer::agent {

absl::StatusOr<isolator::UserNeed> ResolveUser(const std::string& name, uint32_t launcher_uid) {
  isolator::UserNeed user;
  user.uid = geteuid();
  user.gid = getegid();
  user.switch_needed = user.uid != launcher_uid;
  if (name.empty() && !user.switch_needed) return user;

  std::vector<char> buffer(16 * 1024);
  passwd entry;
  passwd* found = nullptr;
  uint32_t uid = user.uid;
  if (name.empty() || absl::SimpleAtoi(name, &uid)) {
    getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  } else {
    getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found == nullptr && name.empty()) return user;  // Nobody knows its name: no more groups.
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat("user '", name, "' does not exist on the agent"));
  }
  user.name = entry.pw_name;
  user.switch_needed = entry.pw_uid != launcher_uid;
  if (!user.switch_needed) return user;
  user.uid = entry.pw_uid;
  user.gid = entry.pw_gid;
  int count = 64;
  std::vector<gid_t> groups(count);
  while (getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) {
    if (count > 65536) break;
    groups.resize(count);
  }
  user.groups.assign(groups.begin(), groups.begin() + count);
  return user;
}

}  // namespace proffer::agent
