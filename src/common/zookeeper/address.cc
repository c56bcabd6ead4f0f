#include "common/zookeeper/address.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"

namespace proffer::zk {
namespace {

constexpr char kScheme[] = "zk://";
constexpr char kForm[] = "expected zk://host:port[,host:port...]/chroot";

absl::Status Wrong(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": ", what, "; ", kForm));
}

absl::Status CheckServer(absl::string_view text, absl::string_view server) {
  const size_t colon = server.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(server.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return Wrong(text, absl::StrCat("\"", server, "\" is no host:port, as in 127.0.0.1:2181"));
  }
  if (server.find_first_of(" \t/") != absl::string_view::npos) {
    return Wrong(text, absl::StrCat("\"", server, "\" has characters that no host has"));
  }
  return absl::OkStatus();
}

absl::Status CheckChroot(absl::string_view text, absl::string_view chroot) {
  const std::vector<absl::string_view> parts = absl::StrSplit(chroot.substr(1), '/');
  for (absl::string_view part : parts) {
    if (part.empty() || part == "." || part == "..") {
      return Wrong(text, absl::StrCat("the chroot \"", chroot, "\" has a part \"", part, "\""));
    }
    if (!std::all_of(part.begin(), part.end(), [](char c) { return c > ' ' && c < 127; })) {
      return Wrong(text, absl::StrCat("the chroot \"", chroot,
                                      "\" has characters other than printable ASCII"));
    }
  }
  if (parts[0] == "zookeeper") {
    return Wrong(text, "/zookeeper is ZooKeeper's own; choose another chroot, as /proffer");
  }
  return absl::OkStatus();
}

}  // namespace

std::string Address::ToString() const {
  return absl::StrCat(kScheme, absl::StrJoin(servers, ","), chroot);
}

bool IsAddress(absl::string_view text) { return absl::StartsWith(text, kScheme); }

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, kScheme)) return Wrong(text, "does not start with zk://");
  if (absl::StrContains(rest, '@')) {
    return Wrong(text,
                 "has a user and password, which are not supported: ZooKeeper is spoken to in "
                 "plain text, so protect it by the network and leave them out");
  }
  const size_t slash = rest.find('/');
  if (slash == absl::string_view::npos || slash + 1 == rest.size()) {
    return Wrong(text,
                 "names no chroot; every cluster has one of its own, add for example /proffer");
  }
  absl::string_view chroot = rest.substr(slash);
  absl::ConsumeSuffix(&chroot, "/");
  Address address;
  for (absl::string_view server : absl::StrSplit(rest.substr(0, slash), ',')) {
    RETURN_IF_ERROR(CheckServer(text, server));
    address.servers.emplace_back(server);
  }
  RETURN_IF_ERROR(CheckChroot(text, chroot));
  address.chroot = std::string(chroot);
  return address;
}

}  // namespace proffer::zk
