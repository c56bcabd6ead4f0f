// Addresses of ensembles: what is understood, and what is refused with which words.
#include "common/zookeeper/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace proffer::zk {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Refusal(absl::string_view text) {
  const auto address = ParseAddress(text);
  return address.ok() ? "accepted" : std::string(address.status().message());
}

TEST(ZooKeeperAddressTest, UnderstandsServersAndChroot) {
  EXPECT_EQ(*ParseAddress("zk://a:2181/proffer"), (Address{{"a:2181"}, "/proffer"}));
  EXPECT_EQ(*ParseAddress("zk://a:1,[::1]:2,10.0.0.3:65535/x/y-1/"),
            (Address{{"a:1", "[::1]:2", "10.0.0.3:65535"}, "/x/y-1"}));
  EXPECT_EQ(ParseAddress("zk://a:1,b:2/x/").value().ToString(), "zk://a:1,b:2/x");
  EXPECT_TRUE(IsAddress("zk://"));
  EXPECT_FALSE(IsAddress("a:2181/x"));
}

TEST(ZooKeeperAddressTest, SaysWhatIsWrongAndWhatWouldBeRight) {
  EXPECT_THAT(Refusal("a:2181/x"), HasSubstr("does not start with zk://"));
  EXPECT_THAT(Refusal("zk://a:2181"), AllOf(HasSubstr("names no chroot"), HasSubstr("/proffer")));
  EXPECT_THAT(Refusal("zk://a:2181/"), HasSubstr("names no chroot"));
  for (const char* server : {"a", "a:", ":1", "a:0", "a:65536", "a:b", ""}) {
    EXPECT_THAT(Refusal("zk://ok:1," + std::string(server) + "/x"),
                AllOf(HasSubstr("\"" + std::string(server) + "\" is no host:port"),
                      HasSubstr("expected zk://host:port[,host:port...]/chroot")));
  }
  EXPECT_THAT(Refusal("zk://a b:1/x"), HasSubstr("characters that no host has"));
  EXPECT_THAT(Refusal("zk://me:secret@a:1/x"), HasSubstr("leave them out"));
  EXPECT_THAT(Refusal("zk://a:1/x//y"), HasSubstr("has a part \"\""));
  EXPECT_THAT(Refusal("zk://a:1/x/../y"), HasSubstr("has a part \"..\""));
  EXPECT_THAT(Refusal("zk://a:1/x y"), HasSubstr("printable ASCII"));
  EXPECT_THAT(Refusal("zk://a:1/zookeeper/x"), HasSubstr("ZooKeeper's own"));
}

}  // namespace
}  // namespace proffer::zk
