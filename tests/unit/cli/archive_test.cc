// Registries as files.
#include "cli/registry/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/registry/place.h"
#include "common/convert/record.h"
#include "common/fs/store_leveldb.h"
#include "proffer/internal/registry.pb.h"

namespace proffer::cli {
namespace {

using ::testing::HasSubstr;

Records Registry(const std::string& cluster, uint64_t epoch, const std::string& role = "eng") {
  internal::ClusterRecord id;
  id.set_cluster_id(cluster);
  internal::EpochRecord number;
  number.set_epoch(epoch);
  internal::WeightRecord weight;
  weight.set_role(role);
  return {{"cluster", convert::SealRecord("cluster", 1, id.SerializeAsString())},
          {"epoch", convert::SealRecord("epoch", 1, number.SerializeAsString())},
          {"weight/" + role, convert::SealRecord("weight", 1, weight.SerializeAsString())}};
}

TEST(ArchiveTest, WhatGoesInComesOut) {
  const Records records = Registry("C-1", 7);
  EXPECT_EQ(*FromArchive(ToArchive(records)), records);
}

TEST(ArchiveTest, EveryCutAndEveryWrongByteIsNoticed) {
  const std::string whole = ToArchive(Registry("C-1", 7));
  // Without its last line break nothing is missing.
  for (size_t length = 0; length + 1 < whole.size(); ++length) {
    EXPECT_FALSE(FromArchive(whole.substr(0, length)).ok()) << length;
  }
  const size_t in_a_record = whole.find("weight/eng ") + 20;
  std::string wrong = whole;
  wrong[in_a_record] = wrong[in_a_record] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(FromArchive(wrong).ok());
  EXPECT_THAT(std::string(FromArchive("something else").status().message()),
              HasSubstr("proffer registry export"));
}

class PlaceTest : public ::testing::Test {
 protected:
  PlaceTest() : directory_(::testing::TempDir() + "/place") {
    std::filesystem::remove_all(directory_);
  }
  ~PlaceTest() override { std::filesystem::remove_all(directory_); }
  absl::StatusOr<uint64_t> Put(const Records& records, bool replace) {
    auto place = Place::Open(directory_, IdentityOf(records)->cluster);
    EXPECT_TRUE(place.ok()) << place.status();
    return place->Replace(records, replace);
  }
  Records Get() { return *Place::Open(directory_)->Read(); }

  const std::string directory_;
};

TEST_F(PlaceTest, AnImportIsInAHigherEpochThanEitherSide) {
  EXPECT_EQ(*Put(Registry("C-1", 7), false), 8u);
  EXPECT_EQ(IdentityOf(Get())->epoch, 8u);
  // An older backup, put over it.
  EXPECT_EQ(*Put(Registry("C-1", 3, "ops"), true), 9u);
  const Records now = Get();
  ASSERT_EQ(now.size(), 3u);
  EXPECT_EQ(now[2].first, "weight/ops");
}

TEST_F(PlaceTest, WhatIsThereIsNotOverwrittenUnasked) {
  ASSERT_TRUE(Put(Registry("C-1", 7), false).ok());
  EXPECT_THAT(std::string(Put(Registry("C-1", 7), false).status().message()),
              HasSubstr("--replace"));
  EXPECT_THAT(std::string(Put(Registry("C-2", 7), true).status().message()),
              HasSubstr("is cluster C-1, not C-2"));
  EXPECT_EQ(IdentityOf(Get())->epoch, 8u);
}

TEST_F(PlaceTest, AMissingPlaceIsNotMade) {
  EXPECT_TRUE(absl::IsNotFound(Place::Open(directory_).status()));
  EXPECT_FALSE(std::filesystem::exists(directory_));
}

}  // namespace
}  // namespace proffer::cli
