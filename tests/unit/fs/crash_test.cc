// A crash at every system call of a store's life, with all that a disk may make of it: the store
// opens, and what it has is a prefix of what was written that lacks nothing acknowledged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/prng.h"
#include "common/fs/store_leveldb.h"
#include "common/fs/store_writer.h"
#include "common/fs/synced_names.h"
#include "support/crash_disk.h"
#include "support/crash_env.h"

namespace proffer {
namespace {

using testing::CrashDisk;
using testing::CrashEnv;
using testing::DiskChange;
using testing::DiskImage;
using ::testing::HasSubstr;
using testing::Survives;

using Records = std::map<std::string, std::string>;

constexpr int kLives = 6;
constexpr int kBatchesPerLife = 80;
constexpr char kBatch[] = "identity";  // The record that says which batch was the last.

// A store on a disk that can crash, as on a real one.
class Machine {
 public:
  explicit Machine(const DiskImage& image = {})
      : env_(image), names_(&env_, [this](const std::string&) { return env_.SyncNames(); }) {}
  absl::StatusOr<std::unique_ptr<LevelDbStore>> Open() {
    // The smallest that LevelDB has: logs are rotated and tables merged all the time.
    return LevelDbStore::Open("/disk/store", {.env = &names_, .write_buffer_bytes = 64 << 10});
  }
  CrashEnv& env() { return env_; }

 private:
  CrashEnv env_;
  SyncedNames names_;
};

void Apply(const std::vector<Mutation>& batch, Records* records) {
  for (const Mutation& mutation : batch) {
    records->erase(mutation.key);
    if (mutation.value) (*records)[mutation.key] = *mutation.value;
  }
}

// What an agent writes: launches with their payload, then progress, and in the end a tombstone in
// the place of both, several attempts a batch and sometimes only one.
class Batches {
 public:
  std::vector<Mutation> Next() {
    std::vector<Mutation> batch = {{kBatch, absl::StrCat(++number_)}};
    for (uint64_t more = number_ % 5 == 0 ? 1 : 1 + prng_.Below(6); more > 0; --more) {
      if (live_.empty() || (live_.size() < 12 && prng_.Below(2) == 0)) {
        const uint64_t attempt = next_++;
        live_.push_back(attempt);
        batch.push_back({absl::StrCat("task/", attempt), Bytes(500 + prng_.Below(10'000))});
        continue;
      }
      const size_t one = prng_.Below(live_.size());
      if (prng_.Below(3) != 0) {
        batch.push_back({absl::StrCat("progress/", live_[one]), Bytes(40 + prng_.Below(200))});
        continue;
      }
      batch.push_back({absl::StrCat("task/", live_[one]), std::nullopt});
      batch.push_back({absl::StrCat("progress/", live_[one]), std::nullopt});
      batch.push_back({absl::StrCat("tombstone/", live_[one]), Bytes(16)});
      live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(one));
    }
    return batch;
  }

 private:
  std::string Bytes(uint64_t size) {
    std::string bytes;
    while (bytes.size() < size) bytes += static_cast<char>(prng_.Below(256));
    return bytes;
  }

  Prng prng_{11};
  int number_ = 0;
  uint64_t next_ = 1;
  std::vector<uint64_t> live_;
};

// All that was written, and when.
struct History {
  std::vector<Records> after = {Records()};  // After so many batches.
  std::vector<size_t> begun;                 // Changes of the disk when a batch was handed over,
  std::vector<size_t> acknowledged;          // and when its write returned.
  std::vector<DiskChange> changes;
  size_t bytes = 0;

  static size_t Count(const std::vector<size_t>& when, size_t changes) {
    return static_cast<size_t>(std::upper_bound(when.begin(), when.end(), changes) - when.begin());
  }
};

void Live(History* history) {
  Machine machine;
  Batches batches;
  for (int life = 0; life < kLives; ++life) {
    auto store = machine.Open();
    ASSERT_TRUE(store.ok()) << store.status();
    for (int i = 0; i < kBatchesPerLife; ++i) {
      const std::vector<Mutation> batch = batches.Next();
      for (const Mutation& mutation : batch) history->bytes += mutation.value.value_or("").size();
      history->after.push_back(history->after.back());
      Apply(batch, &history->after.back());
      history->begun.push_back(machine.env().change_count());
      ASSERT_TRUE((*store)->Write(batch).ok());
      history->acknowledged.push_back(machine.env().change_count());
    }
  }
  history->changes = machine.env().changes();
}

class Crashes {
 public:
  explicit Crashes(const History& history) : history_(history) {}

  // Everything that the disk may hold now.
  void At(size_t boundary, const CrashDisk& disk, bool thoroughly) {
    acknowledged_ = History::Count(history_.acknowledged, boundary);
    begun_ = History::Count(history_.begun, boundary);
    for (const Survives survives :
         {Survives::kEverything, Survives::kSynced, Survives::kNames, Survives::kRemovals}) {
      Judge(disk.Image(survives), thoroughly);
    }
    const size_t unsynced = disk.unsynced();
    std::set<size_t> torn;
    for (size_t n = 1; n < unsynced && unsynced <= 100; ++n) torn.insert(n);
    for (const size_t n : {size_t{1}, size_t{6}, size_t{7}, size_t{8}, unsynced - 1}) {
      if (n < unsynced) torn.insert(n);
    }
    for (int i = 0; i < 3 && unsynced > 0; ++i) torn.insert(1 + prng_.Below(unsynced));
    for (const size_t n : torn) Judge(disk.Image(Survives::kNames, n), false);
  }
  int judged() const { return judged_; }
  int again() const { return again_; }

 private:
  // What the store then has; `thoroughly` it is also written to, and crashes while it recovers.
  void Judge(const DiskImage& image, bool thoroughly) {
    if (image == last_ && last_acknowledged_ == acknowledged_ && !thoroughly) return;
    last_ = image;
    last_acknowledged_ = acknowledged_;
    ++judged_;
    Machine machine(image);
    {
      auto store = machine.Open();
      ASSERT_TRUE(store.ok()) << store.status();
      Expect(store->get());
      if (!thoroughly) return;
      ASSERT_TRUE((*store)->Write({{"new", "one"}}).ok());
    }
    {
      auto store = machine.Open();
      ASSERT_TRUE(store.ok()) << store.status();
      EXPECT_EQ(*(*store)->Read("new"), "one");
      ASSERT_TRUE((*store)->Write({{"new", std::nullopt}}).ok());
      Expect(store->get());
    }
    CrashDisk disk(image);
    for (const DiskChange& change : machine.env().changes()) {
      disk.Apply(change);
      for (const Survives survives : {Survives::kEverything, Survives::kSynced, Survives::kNames}) {
        ++again_;
        Machine after(disk.Image(survives));
        auto store = after.Open();
        ASSERT_TRUE(store.ok()) << "crashed again: " << store.status();
        Expect(store->get());
      }
    }
  }

  void Expect(LevelDbStore* store) {
    const auto read = store->ReadAll();
    ASSERT_TRUE(read.ok()) << read.status();
    Records records(read->begin(), read->end());
    records.erase("new");
    const std::string& last = records.count(kBatch) == 0 ? "0" : records.at(kBatch);
    const size_t batches = std::stoul(last);
    EXPECT_GE(batches, acknowledged_) << "acknowledged and lost";
    ASSERT_LE(batches, begun_);
    EXPECT_TRUE(records == history_.after.at(batches)) << "not a prefix; last batch " << batches;
  }

  const History& history_;
  Prng prng_{5};
  DiskImage last_;
  size_t last_acknowledged_ = 0;
  size_t acknowledged_ = 0;
  size_t begun_ = 0;
  int judged_ = 0;
  int again_ = 0;
};

TEST(CrashTest, AtEverySystemCallNothingAcknowledgedIsLost) {
  History history;
  ASSERT_NO_FATAL_FAILURE(Live(&history));
  std::map<DiskChange::Kind, int> kinds;
  CrashDisk disk;
  Crashes crashes(history);
  for (size_t boundary = 0; boundary <= history.changes.size(); ++boundary) {
    SCOPED_TRACE(absl::StrCat("before change ", boundary, " of ", history.changes.size()));
    crashes.At(boundary, disk, boundary % 150 == 0);
    if (HasFailure()) return;  // One is enough to read.
    if (boundary == history.changes.size()) break;
    ++kinds[history.changes[boundary].kind];
    disk.Apply(history.changes[boundary]);
  }
  // That it was all there: logs were rotated, tables merged and removed, CURRENT renamed.
  EXPECT_GT(history.bytes, 2u << 20);
  EXPECT_GE(kinds[DiskChange::Kind::kSync], kLives * kBatchesPerLife);
  EXPECT_GE(kinds[DiskChange::Kind::kCreate], 50);
  EXPECT_GE(kinds[DiskChange::Kind::kRemove], 50);
  EXPECT_EQ(kinds[DiskChange::Kind::kRename], kLives + 1);
  std::printf("%zu system calls, %d states of the disk, %d of a second crash; %zu bytes written\n",
              history.changes.size(), crashes.judged(), crashes.again(), history.bytes);
}

// The disk fills up, or breaks, at each of a store's writes: it says so, and what it had said to be
// durable is there once the disk is well.
TEST(CrashTest, AWriteThatFailsNamesTheDiskAndTakesNothingAlong) {
  for (int good = 0; good < 12; ++good) {
    SCOPED_TRACE(good);
    Machine machine;
    Batches batches;
    Records expected;
    {
      auto store = machine.Open();
      ASSERT_TRUE(store.ok()) << store.status();
      for (int i = 0; i < good; ++i) {
        const std::vector<Mutation> batch = batches.Next();
        ASSERT_TRUE((*store)->Write(batch).ok());
        Apply(batch, &expected);
      }
      machine.env().Fail("No space left on device");
      const absl::Status written = (*store)->Write(batches.Next());
      EXPECT_EQ(written.code(), absl::StatusCode::kUnavailable);
      EXPECT_THAT(std::string(written.message()), HasSubstr("/disk/store"));
      EXPECT_THAT(std::string(written.message()), HasSubstr("make room on the disk"));
    }
    // A start while it is full says the same and breaks nothing.
    const absl::Status full = machine.Open().status();
    EXPECT_EQ(full.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(full.message()), HasSubstr("make room on the disk"));
    machine.env().Fail("");
    auto store = machine.Open();
    ASSERT_TRUE(store.ok()) << store.status();
    const auto read = (*store)->ReadAll();
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(Records(read->begin(), read->end()), expected);
  }
}

TEST(StoreWriterDeathTest, AFullDiskEndsTheProcessWithASentenceAndNoCore) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        Machine machine;
        auto store = machine.Open();
        machine.env().Fail("No space left on device");
        StoreWriter writer(store->get(), [](uint64_t) {});
        writer.Append(1, {{"a", "1"}});
      },
      ::testing::ExitedWithCode(3),
      "could not be made durable: write store /disk/store: .*No space left.*make room");
}

}  // namespace
}  // namespace proffer
