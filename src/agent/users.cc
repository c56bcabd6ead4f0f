// The machine's users, by way of the C library.
#include "agent/users.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace proffer::agent {

absl::StatusOr<TaskUser> ResolveUser(const std::string& name) {
  TaskUser user;
  user.uid = geteuid();
  user.gid = getegid();
  if (name.empty()) return user;

  std::vector<char> buffer(16 * 1024);
  passwd entry;
  passwd* found = nullptr;
  uint32_t uid = 0;
  if (absl::SimpleAtoi(name, &uid)) {
    getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  } else {
    getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat("user '", name, "' does not exist on the agent"));
  }
  user.name = entry.pw_name;
  if (entry.pw_uid == geteuid()) return user;
  if (geteuid() != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        "the agent does not run as root (its uid is ", geteuid(),
        "), so it cannot run a task as user '", name, "'; name no user, or run the agent as root"));
  }
  user.switch_needed = true;
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
