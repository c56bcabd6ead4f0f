// The style as a test: who includes whom, words that are banned, sizes, dead files.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

const std::string kRoot = PROFFER_SOURCE_DIR;

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool EndsWith(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

std::vector<std::string> Lines(const std::string& path) {
  std::ifstream file(kRoot + "/" + path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// Files of ours below these folders with one of the endings, as paths from the root.
std::vector<std::string> Files(const std::vector<std::string>& folders,
                               const std::vector<std::string>& endings) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot + "/" + folder)) {
      const std::string path = entry.path().string().substr(kRoot.size() + 1);
      if (std::any_of(endings.begin(), endings.end(),
                      [&](const std::string& ending) { return EndsWith(path, ending); })) {
        files.push_back(path);
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> Sources(const std::vector<std::string>& folders) {
  return Files(folders, {".h", ".cc"});
}

struct Layers {
  std::map<std::string, std::set<std::string>> allowed;

  Layers() {
    for (const std::string& line : Lines("tests/tidy/layers.txt")) {
      if (line.empty() || line[0] == '#') continue;
      const size_t colon = line.find(':');
      std::istringstream words(line.substr(colon + 1));
      std::set<std::string>& row = allowed[line.substr(0, colon)];
      for (std::string word; words >> word;) row.insert(word);
    }
  }
  // The longest folder of the table that holds the path.
  std::string FolderOf(const std::string& path) const {
    std::string best;
    for (const auto& [folder, row] : allowed) {
      if (StartsWith(path, folder + "/") && folder.size() > best.size()) best = folder;
    }
    return best;
  }
};

// What an include names: a folder of ours, a library, or "" for what everybody may include.
std::string Named(const Layers& layers, const std::string& include) {
  static const std::vector<std::pair<std::string, std::string>> kLibraries = {
      {"grpcpp/", "grpc"},     {"google/protobuf/", "protobuf"},
      {"glog/", "glog"},       {"gflags/", "gflags"},
      {"leveldb/", "leveldb"}, {"re2/", "re2"},
      {"zlib.h", "zlib"},      {"CLI/", "cli11"},
      {"yaml-cpp/", "yaml"},   {"zookeeper/", "zookeeper"}};
  if (StartsWith(include, "proffer/v1/") || StartsWith(include, "proffer/internal/")) {
    return EndsWith(include, ".grpc.pb.h") ? "stubs" : "proto";
  }
  if (StartsWith(include, "proffer/")) return "include/proffer";
  if (fs::exists(kRoot + "/src/" + include)) return layers.FolderOf("src/" + include);
  for (const auto& [prefix, name] : kLibraries) {
    if (StartsWith(include, prefix)) return name;
  }
  return "";
}

bool IsImpure(const std::string& include) {
  static const std::set<std::string> kImpure = {
      "chrono", "condition_variable", "ctime",  "fstream", "future", "mutex", "random", "thread",
      "time.h", "unistd.h",           "fcntl.h"};
  return kImpure.count(include) > 0 || StartsWith(include, "sys/") ||
         StartsWith(include, "absl/time/") || StartsWith(include, "absl/synchronization/") ||
         StartsWith(include, "absl/random/") || include == "common/base/clock.h" ||
         include == "common/base/mutex.h" || include == "common/base/mailbox.h";
}

TEST(Tidy, EveryIncludeIsAllowedByTheTable) {
  const Layers layers;
  for (const std::string& path : Sources({"src", "include", "examples"})) {
    const std::string folder = StartsWith(path, "examples/") ? "examples" : layers.FolderOf(path);
    ASSERT_FALSE(folder.empty()) << path << " lies in no folder of tests/tidy/layers.txt";
    const std::set<std::string>& allowed = layers.allowed.at(folder);
    for (const std::string& line : Lines(path)) {
      if (!StartsWith(line, "#include ")) continue;
      const size_t open = line.find_first_of("<\"");
      const size_t close = line.find_first_of(">\"", open + 1);
      const std::string include = line.substr(open + 1, close - open - 1);
      if (allowed.count("pure") > 0) {
        EXPECT_FALSE(IsImpure(include)) << path << " is pure and includes " << include;
      }
      const std::string named = Named(layers, include);
      if (named.empty() || named == folder) continue;
      const bool fine = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& may) {
        return named == may || StartsWith(named, may + "/");
      });
      EXPECT_TRUE(fine) << path << " includes " << include << " (" << named << "), but " << folder
                        << " may not";
    }
  }
}

TEST(Tidy, NothingIsLeftUndone) {
  for (const std::string& path : Sources({"src", "include", "examples", "tests"})) {
    if (path == "tests/tidy/tidy_test.cc") continue;
    int number = 0;
    for (const std::string& line : Lines(path)) {
      ++number;
      for (const char* word : {"TODO", "FIXME", "XXX("}) {
        EXPECT_EQ(line.find(word), std::string::npos) << path << ":" << number << ": " << line;
      }
    }
  }
}

TEST(Tidy, NoLineIsLongerThanAHundredColumns) {
  std::vector<std::string> files =
      Files({"src", "include", "examples", "tests", "proto", "scripts", "cmake"},
            {".h", ".cc", ".proto", ".sh", ".cmake", "CMakeLists.txt"});
  files.push_back("CMakeLists.txt");
  for (const std::string& path : files) {
    int number = 0;
    for (const std::string& line : Lines(path)) {
      ++number;
      const auto columns =
          std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
      EXPECT_LE(columns, 100) << path << ":" << number << ": " << line;
    }
  }
}

// Time comes from common/base/clock.h, and a deadline for gRPC from common/rpc/deadline.h.
TEST(Tidy, ClocksAreReadInOnePlace) {
  static const std::vector<std::string> kMayReadClocks = {
      "src/common/base/", "src/common/rpc/deadline.h", "src/launcher/", "tests/bench/",
      "tests/tidy/",      "tests/chaos/clock/"};
  static const std::vector<std::string> kClocks = {
      "_clock::now", "gettimeofday(", "clock_gettime(", " time(", "::time(", "(time(", "=time("};
  for (const std::string& path : Sources({"src", "include", "examples", "tests"})) {
    if (std::any_of(kMayReadClocks.begin(), kMayReadClocks.end(),
                    [&](const std::string& may) { return StartsWith(path, may); })) {
      continue;
    }
    int number = 0;
    for (const std::string& line : Lines(path)) {
      ++number;
      for (const std::string& clock : kClocks) {
        EXPECT_EQ(line.find(clock), std::string::npos) << path << ":" << number << ": " << line;
      }
    }
  }
}

// A site in a header would be there once for each file that includes it.
TEST(Tidy, SimulatedPlacesAreInSourcesAndEveryMutantHasItsStory) {
  std::set<std::string> stories;
  for (const std::string& line : Lines("tests/sim/mutants.txt")) {
    if (line.empty() || line[0] == '#') continue;
    EXPECT_TRUE(stories.insert(line.substr(0, line.find(' '))).second) << line;
  }
  std::set<std::string> mutants;
  for (const std::string& path : Sources({"src"})) {
    if (StartsWith(path, "src/common/base/simulation.")) continue;
    for (const std::string& line : Lines(path)) {
      if (EndsWith(path, ".h")) {
        EXPECT_EQ(line.find("#include \"common/base/simulation.h\""), std::string::npos) << path;
      }
      static const std::string kBegin = "MUTANT(\"";
      for (size_t at = line.find(kBegin); at != std::string::npos; at = line.find(kBegin, at + 1)) {
        const size_t name = at + kBegin.size();
        mutants.insert(line.substr(name, line.find('"', name) - name));
      }
    }
  }
  EXPECT_EQ(mutants, stories);
}

TEST(Tidy, NoFileIsAKing) {
  for (const std::string& path : Sources({"src", "include", "tests"})) {
    EXPECT_LE(Lines(path).size(), 800u) << path << ": split it by noun";
  }
}

TEST(Tidy, EveryHeaderIsReadOnce) {
  for (const std::string& path : Sources({"src", "include"})) {
    if (!EndsWith(path, ".h")) continue;
    const std::vector<std::string> lines = Lines(path);
    EXPECT_NE(std::find(lines.begin(), lines.end(), "#pragma once"), lines.end()) << path;
  }
}

TEST(Tidy, FlagsAreReadOnlyAtTheDoor) {
  for (const std::string& path : Sources({"src"})) {
    if (EndsWith(path, "/flags.cc") || EndsWith(path, "/main.cc")) continue;
    for (const std::string& line : Lines(path)) {
      EXPECT_EQ(line.find("FLAGS_"), std::string::npos) << path << ": " << line;
    }
  }
}

TEST(Tidy, NoSourceIsDead) {
  std::map<std::string, std::string> lists;
  for (const std::string& path : Sources({"src"})) {
    if (!EndsWith(path, ".cc")) continue;
    // Some list on the way up names the file.
    bool listed = false;
    for (fs::path folder = fs::path(path).parent_path(); !folder.empty() && !listed;
         folder = folder.parent_path()) {
      std::string& list = lists[folder.string()];
      if (list.empty()) {
        std::ifstream file(kRoot + "/" + folder.string() + "/CMakeLists.txt");
        list.assign(std::istreambuf_iterator<char>(file), {});
        list += " ";
      }
      const std::string name = fs::relative(path, folder).string();
      listed = list.find(name) != std::string::npos;
    }
    EXPECT_TRUE(listed) << path << " is in no CMakeLists.txt";
  }
}

}  // namespace
