// Stores: what was acknowledged is there again, or the damage is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/fs/store_leveldb.h"
#include "common/fs/store_memory.h"
#include "common/fs/store_writer.h"

namespace proffer {
namespace {

namespace files = std::filesystem;
using ::testing::ElementsAre;
using ::testing::Pair;

using Records = std::vector<std::pair<std::string, std::string>>;

class Directory {
 public:
  Directory() {
    // In memory where that is possible: thousands of stores are opened, and none needs a disk.
    const files::path below =
        files::exists("/dev/shm") ? files::path("/dev/shm") : files::temp_directory_path();
    std::string name = (below / "proffer_store_XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Directory() { files::remove_all(path_); }
  std::string operator/(const std::string& below) const { return (path_ / below).string(); }

 private:
  files::path path_;
};

// The log file that holds what was written last.
files::path LogOf(const std::string& store) {
  for (const auto& entry : files::directory_iterator(store)) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) return entry.path();
  }
  return {};
}

std::string ReadFile(const files::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void WriteFile(const files::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

absl::StatusOr<Records> OpenAndRead(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<LevelDbStore> store, LevelDbStore::Open(path));
  return store->ReadAll();
}

TEST(MemoryStoreTest, KeepsTheLastValueOfEachKeyInOrder) {
  MemoryStore store;
  ASSERT_TRUE(store.Write({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"c", "4"}}).ok());
  ASSERT_TRUE(store.Write({{"c", std::nullopt}, {"never there", std::nullopt}}).ok());
  EXPECT_THAT(*store.ReadAll(), ElementsAre(Pair("a", "2"), Pair("b", "3")));
}

TEST(LevelDbStoreTest, FindsEverythingAgainAfterReopening) {
  Directory directory;
  const std::string path = directory / "store";
  {
    auto store = LevelDbStore::Open(path);
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->Write({{"b", "1"}, {"a", std::string("\0x", 2)}, {"b", "3"}}).ok());
    ASSERT_TRUE((*store)->Write({{"c", "4"}, {"c", std::nullopt}}).ok());
  }
  const auto records = OpenAndRead(path);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_THAT(*records, ElementsAre(Pair("a", std::string("\0x", 2)), Pair("b", "3")));
}

TEST(LevelDbStoreTest, OneRecordIsReadLikeAllOfThem) {
  Directory directory;
  auto level = LevelDbStore::Open(directory / "store");
  ASSERT_TRUE(level.ok());
  MemoryStore memory;
  for (Store* store : {static_cast<Store*>(level->get()), static_cast<Store*>(&memory)}) {
    ASSERT_TRUE(store->Write({{"a", std::string("\0x", 2)}, {"b", "1"}, {"b", "2"}}).ok());
    EXPECT_EQ(store->Read("a").value(), std::string("\0x", 2));
    EXPECT_EQ(store->Read("b").value(), "2");
    EXPECT_EQ(store->Read("c").value(), std::nullopt);
    ASSERT_TRUE(store->Write({{"b", std::nullopt}}).ok());
    EXPECT_EQ(store->Read("b").value(), std::nullopt);
  }
}

TEST(LevelDbStoreTest, RefusesASecondProcess) {
  Directory directory;
  auto first = LevelDbStore::Open(directory / "store");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(LevelDbStore::Open(directory / "store").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(LevelDbStoreTest, SaysSoWhenItsDirectoryCannotBeMade) {
  Directory directory;
  const auto store = LevelDbStore::Open(directory / "missing/store");
  ASSERT_FALSE(store.ok());
  EXPECT_THAT(std::string(store.status().message()), ::testing::HasSubstr("missing/store"));
}

// Every bit of every file is flipped in turn: what was acknowledged is there again, whole, or the
// store says that it is damaged. Nothing is dropped in silence.
TEST(LevelDbStoreTest, AFlippedBitIsNamedAndNeverDropsARecord) {
  Directory directory;
  const std::string path = directory / "store";
  const auto write = [&path](const std::string& key, const std::string& value) {
    auto store = LevelDbStore::Open(path);
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Write({{key, value}}).ok());
  };
  // One is in a table by now, the others in the log.
  write("agent/a", "first");
  write("agent/b", "second");
  {
    auto store = LevelDbStore::Open(path);
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Write({{"agent/c", "third"}}).ok());
    ASSERT_TRUE((*store)->Write({{"agent/d", "fourth"}}).ok());
  }
  const files::path pristine = directory / "pristine";
  files::copy(path, pristine, files::copy_options::recursive);
  const Records expected = {
      {"agent/a", "first"}, {"agent/b", "second"}, {"agent/c", "third"}, {"agent/d", "fourth"}};
  ASSERT_EQ(*OpenAndRead(path), expected);
  int flipped = 0;
  int named = 0;
  for (const auto& entry : files::directory_iterator(pristine)) {
    const std::string name = entry.path().filename().string();
    if (name == "LOG" || name == "LOG.old" || name == "LOCK") continue;  // Not read.
    const std::string bytes = ReadFile(entry.path());
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      files::remove_all(path);
      files::copy(pristine, path, files::copy_options::recursive);
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      WriteFile(path / files::path(name), damaged);
      const absl::StatusOr<Records> records = OpenAndRead(path);
      ++flipped;
      if (records.ok()) {
        EXPECT_EQ(*records, expected) << name << " byte " << bit / 8 << " bit " << bit % 8;
      } else {
        EXPECT_EQ(records.status().code(), absl::StatusCode::kDataLoss)
            << name << " byte " << bit / 8 << " bit " << bit % 8 << ": " << records.status();
        ++named;
      }
    }
  }
  EXPECT_GT(flipped, 2'000);
  EXPECT_GT(named, flipped / 2);
}

// A crash in the middle of a write leaves the beginning of a record: it was never acknowledged.
TEST(LevelDbStoreTest, AWriteThatWasCutShortIsForgottenAndTheRestIsThere) {
  Directory directory;
  const std::string path = directory / "store";
  size_t first_end = 0;
  {
    auto store = LevelDbStore::Open(path);
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Write({{"agent/a", "first"}}).ok());
    first_end = files::file_size(LogOf(path));
    ASSERT_TRUE((*store)->Write({{"agent/b", "second"}}).ok());
  }
  const files::path pristine = directory / "pristine";
  files::copy(path, pristine, files::copy_options::recursive);
  const std::string bytes = ReadFile(LogOf(path));
  for (size_t length = first_end; length < bytes.size(); ++length) {
    files::remove_all(path);
    files::copy(pristine, path, files::copy_options::recursive);
    WriteFile(LogOf(path), bytes.substr(0, length));
    const absl::StatusOr<Records> records = OpenAndRead(path);
    ASSERT_TRUE(records.ok()) << length << ": " << records.status();
    EXPECT_THAT(*records, ElementsAre(Pair("agent/a", "first"))) << length;
  }
}

// Only what LevelDB writes for people, and the lock, may be missing.
TEST(LevelDbStoreTest, AMissingFileIsNamed) {
  Directory directory;
  const std::string path = directory / "store";
  for (int life = 0; life < 3; ++life) {
    auto store = LevelDbStore::Open(path);
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Write({{"agent/" + std::to_string(life), "first"}}).ok());
    const files::path pristine = directory / "pristine";
    files::remove_all(pristine);
    files::copy(path, pristine, files::copy_options::recursive);
    for (const auto& entry : files::directory_iterator(pristine)) {
      const std::string name = entry.path().filename().string();
      const std::string torn = directory / "torn";
      files::remove_all(torn);
      files::copy(pristine, torn, files::copy_options::recursive);
      files::remove(files::path(torn) / name);
      const absl::StatusOr<Records> records = OpenAndRead(torn);
      if (name == "LOG" || name == "LOG.old" || name == "LOCK") {
        EXPECT_TRUE(records.ok()) << name << ": " << records.status();
        continue;
      }
      ASSERT_FALSE(records.ok()) << name << " was not missed";
      const std::string said(records.status().message());
      EXPECT_THAT(said, ::testing::HasSubstr(name.substr(name.find('.') + 1))) << name;
    }
  }
}

// Between the first file and the last nothing was written that could be lost.
TEST(LevelDbStoreTest, BeginsAgainAfterACrashInItsFirstMoments) {
  Directory directory;
  const std::string path = directory / "store";
  ASSERT_TRUE(LevelDbStore::Open(path).ok());
  for (const auto& entry : files::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("MANIFEST", 0) != 0) files::remove(entry.path());
  }
  EXPECT_TRUE(OpenAndRead(path).ok());
}

TEST(LevelDbStoreTest, DamageInATableIsDataLoss) {
  Directory directory;
  const std::string path = directory / "store";
  {
    auto store = LevelDbStore::Open(path);
    ASSERT_TRUE(store.ok());
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE((*store)->Write({{"agent/" + std::to_string(i), std::string(200, 'x')}}).ok());
    }
  }
  ASSERT_TRUE(OpenAndRead(path).ok());  // Opening turns the log into a table.
  files::path table;
  for (const auto& entry : files::directory_iterator(path)) {
    if (entry.path().extension() == ".ldb") table = entry.path();
  }
  ASSERT_FALSE(table.empty());
  std::string bytes = ReadFile(table);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  WriteFile(table, bytes);
  EXPECT_EQ(OpenAndRead(path).status().code(), absl::StatusCode::kDataLoss);
  files::remove(table);
  EXPECT_EQ(OpenAndRead(path).status().code(), absl::StatusCode::kDataLoss);
}

// A store whose writes can be held up, and that counts them.
class GatedStore final : public Store {
 public:
  absl::StatusOr<Records> ReadAll() override { return Records(); }
  absl::StatusOr<std::optional<std::string>> Read(const std::string&) override {
    return std::nullopt;
  }
  absl::Status Write(const std::vector<Mutation>& batch) override {
    MutexLock lock(&mutex_);
    batches_.push_back(batch.size());
    changed_.SignalAll();
    while (held_) changed_.Wait(&mutex_);
    return result_;
  }
  void Hold(bool held) {
    MutexLock lock(&mutex_);
    held_ = held;
    changed_.SignalAll();
  }
  void AwaitBatches(size_t count) {
    MutexLock lock(&mutex_);
    while (batches_.size() < count) changed_.Wait(&mutex_);
  }
  std::vector<size_t> batches() {
    MutexLock lock(&mutex_);
    return batches_;
  }
  void FailFromNowOn() {
    MutexLock lock(&mutex_);
    result_ = absl::ResourceExhaustedError("disk full");
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool held_ = false;
  absl::Status result_;
  std::vector<size_t> batches_;
};

TEST(StoreWriterTest, WhatGathersDuringAWriteLeavesAsOneBatch) {
  GatedStore store;
  Mutex mutex;
  std::vector<uint64_t> durable;
  {
    StoreWriter writer(&store, [&](uint64_t seq) {
      MutexLock lock(&mutex);
      durable.push_back(seq);
    });
    store.Hold(true);
    writer.Append(1, {{"a", "1"}});
    store.AwaitBatches(1);
    writer.Append(2, {{"b", "1"}});
    writer.Append(4, {{"c", "1"}, {"d", "1"}});
    {
      MutexLock lock(&mutex);
      EXPECT_TRUE(durable.empty());  // Nothing is called durable before it is.
    }
    store.Hold(false);
  }  // Its end writes what is queued.
  EXPECT_THAT(store.batches(), ElementsAre(1, 3));
  EXPECT_THAT(durable, ElementsAre(1, 4));
}

TEST(StoreWriterDeathTest, AFailedWriteEndsTheProcess) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        GatedStore store;
        store.FailFromNowOn();
        StoreWriter writer(&store, [](uint64_t) {});
        writer.Append(1, {{"a", "1"}});
      },
      "could not be made durable.*disk full");
}

}  // namespace
}  // namespace proffer
