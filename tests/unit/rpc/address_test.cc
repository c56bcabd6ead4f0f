// Addresses: what is understood, and what is refused with which words.
#include "common/rpc/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace proffer::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Refusal(absl::string_view text) {
  const auto addresses = ParseAddresses(text);
  return addresses.ok() ? "accepted" : std::string(addresses.status().message());
}

TEST(AddressTest, UnderstandsSocketsAndHosts) {
  EXPECT_THAT(*ParseAddresses("unix:/run/proffer/master"),
              ElementsAre(Address{"unix:/run/proffer/master", true}));
  EXPECT_THAT(*ParseAddresses("127.0.0.1:5050,[::1]:5051"),
              ElementsAre(Address{"127.0.0.1:5050", false}, Address{"[::1]:5051", false}));
}

TEST(AddressTest, RefusesWhatItCannotReach) {
  EXPECT_THAT(Refusal(""), HasSubstr("no address given"));
  EXPECT_THAT(Refusal("unix:relative/path"), HasSubstr("absolute path"));
  EXPECT_THAT(Refusal("unix:"), HasSubstr("absolute path"));
  EXPECT_THAT(Refusal("host"), HasSubstr("expected unix:/path or host:port"));
  EXPECT_THAT(Refusal(":5050"), HasSubstr("expected unix:/path or host:port"));
  EXPECT_THAT(Refusal("host:65536"), HasSubstr("expected unix:/path or host:port"));
  EXPECT_THAT(Refusal("host:-1"), HasSubstr("expected unix:/path or host:port"));
  EXPECT_THAT(Refusal("zk://a:2181/x"), HasSubstr("found a ZooKeeper ensemble"));
  EXPECT_THAT(Refusal("unix:/" + std::string(107, 'a')), HasSubstr("at most 107 bytes"));
  EXPECT_EQ(Refusal("unix:/" + std::string(106, 'a')), "accepted");
}

TEST(AddressTest, OnlyThisMachineIsServed) {
  const auto allowed = [](absl::string_view text) {
    return RequireLocal(ParseAddresses(text)->front()).ok();
  };
  EXPECT_TRUE(allowed("unix:/run/x"));
  EXPECT_TRUE(allowed("127.0.0.1:1"));
  EXPECT_TRUE(allowed("127.1.2.3:1"));
  EXPECT_TRUE(allowed("[::1]:1"));
  EXPECT_TRUE(allowed("localhost:1"));
  EXPECT_FALSE(allowed("0.0.0.0:1"));
  EXPECT_FALSE(allowed("192.168.1.2:1"));
  EXPECT_FALSE(allowed("example.org:1"));
  // Names that only look like the loopback.
  EXPECT_FALSE(allowed("127.example.org:1"));
  EXPECT_FALSE(allowed("localhost.example.org:1"));
}

// Run by the test below, in a network namespace other than that of its process 1.
TEST(AddressTest, DISABLED_AnyAddressIsServed) {
  EXPECT_TRUE(RequireLocal({"10.77.0.1:1", false}).ok());
}

TEST(AddressTest, InANetworkOfATestsOwnAnyAddressIsServed) {
  if (geteuid() != 0) GTEST_SKIP() << "not run, because only root can make network namespaces";
  // With a process 1 of its own: that of the machine may be hidden even from root.
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command =
      "unshare --pid --fork --kill-child --mount-proc sh -c 'unshare --net " + program +
      " --gtest_also_run_disabled_tests --gtest_filter=*DISABLED_AnyAddressIsServed; exit $?'";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace proffer::rpc
