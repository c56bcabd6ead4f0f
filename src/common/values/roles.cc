// Names: of roles, which form a tree, and of resources and attributes, which are flat.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/values/text.h"
#include "proffer/resources.h"

namespace proffer {
namespace {

using values::Refusal;

constexpr size_t kRoleBytes = 256;
constexpr size_t kNameBytes = 63;
constexpr char kRoleExpected[] = "\"*\", or a path like \"eng/prod\" of [A-Za-z0-9._-]";
constexpr char kNameExpected[] = "a letter and then at most 62 of [A-Za-z0-9_.-]";

bool IsNameCharacter(char c) { return values::IsPlain(c) && c != '/'; }

}  // namespace

absl::Status ValidateRole(absl::string_view role) {
  const auto refuse = [&](absl::string_view advice) {
    return Refusal("role", kRoleExpected, role, advice);
  };
  if (role == "*") return absl::OkStatus();
  if (role.empty()) return refuse("write \"*\" if no role is meant");
  if (role.size() > kRoleBytes) return refuse("use at most 256 bytes");
  for (absl::string_view component : absl::StrSplit(role, '/')) {
    if (component.empty()) return refuse("put single slashes between the parts, none at the ends");
    if (component == "." || component == "..") return refuse("no part may be \".\" or \"..\"");
    if (component == "*") return refuse("\"*\" stands alone");
    if (component[0] == '-') return refuse("no part may start with \"-\"");
    if (!std::all_of(component.begin(), component.end(), IsNameCharacter)) {
      return refuse("use no other characters");
    }
  }
  return absl::OkStatus();
}

bool IsSameOrDescendant(absl::string_view role, absl::string_view ancestor) {
  return absl::StartsWith(role, ancestor) &&
         (role.size() == ancestor.size() || (role[ancestor.size()] == '/' && !ancestor.empty()));
}

absl::Status ValidateName(absl::string_view name) {
  const auto refuse = [&](absl::string_view advice) {
    return Refusal("name", kNameExpected, name, advice);
  };
  if (name.empty()) return refuse("give it a name");
  if (!absl::ascii_isalpha(static_cast<unsigned char>(name[0]))) {
    return refuse("start it with a letter");
  }
  if (!std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    return refuse("use no other characters");
  }
  if (name.size() > kNameBytes) return refuse("shorten it");
  return absl::OkStatus();
}

}  // namespace proffer
