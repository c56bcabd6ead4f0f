#include "common/rpc/address.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"

namespace proffer::rpc {
namespace {

absl::StatusOr<Address> ParseOne(absl::string_view text) {
  if (absl::StartsWith(text, "zk://")) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\": expected unix:/path or host:port, found a ZooKeeper ensemble; "
                     "it stands for all masters, and alone"));
  }
  if (absl::StartsWith(text, "unix:")) {
    const absl::string_view path = text.substr(5);
    if (path.empty() || path[0] != '/') {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", text, "\": expected an absolute path, as in unix:/run/proffer/master"));
    }
    // sun_path holds 108 bytes with the zero.
    if (path.size() > 107) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", text, "\": the path of a unix socket has at most 107 bytes, this one has ",
          path.size(), "; choose a shorter directory"));
    }
    return Address{std::string(text), true};
  }
  const size_t colon = text.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\": expected unix:/path or host:port"));
  }
  return Address{std::string(text), false};
}

// Numbers, not names: what a name means is not ours to decide; but for one.
bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr number{};
  return inet_pton(AF_INET, host.c_str(), &number) == 1 && ntohl(number.s_addr) >> 24 == 127;
}

// Only who asks for it is in a network of its own: daemons live in the machine's. Whoever may not
// look at process 1 cannot tell, and counts as being in the machine's.
bool IsInNetworkOfItsOwn() {
  struct stat ours {};
  struct stat machine {};
  return stat("/proc/self/ns/net", &ours) == 0 && stat("/proc/1/ns/net", &machine) == 0 &&
         (ours.st_ino != machine.st_ino || ours.st_dev != machine.st_dev);
}

}  // namespace

absl::StatusOr<std::vector<Address>> ParseAddresses(absl::string_view text) {
  std::vector<Address> addresses;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    ASSIGN_OR_RETURN(Address address, ParseOne(part));
    addresses.push_back(std::move(address));
  }
  if (addresses.empty()) {
    return absl::InvalidArgumentError("no address given; expected unix:/path or host:port");
  }
  return addresses;
}

absl::Status RequireLocal(const Address& address) {
  if (address.is_unix || IsLoopback(address.target.substr(0, address.target.rfind(':'))) ||
      IsInNetworkOfItsOwn()) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat(address.target,
                   ": without certificates only unix sockets and, by --insecure_tcp, loopback "
                   "addresses are served; use unix:/path or 127.0.0.1:port"));
}

absl::StatusOr<Address> ParseLocalPort(absl::string_view text) {
  const absl::StatusOr<std::vector<Address>> addresses = ParseAddresses(text);
  if (!addresses.ok() || addresses->size() != 1 || addresses->front().is_unix) {
    return absl::InvalidArgumentError(absl::StrCat("expected one host:port, found \"", text, "\""));
  }
  RETURN_IF_ERROR(RequireLocal(addresses->front()));
  return addresses->front();
}

}  // namespace proffer::rpc
