#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "chaos/judges/judges.h"

namespace proffer::chaos {
namespace {

constexpr char kRegistry[] = "/chaos/registry/";
constexpr absl::string_view kThreeZeros("\0\0\0", 3);
// "setData:" of /chaos/registry, without data: the lengths of both, and the version comes next. It
// is as it was written as long as it is below 128; the tool prints what is no UTF-8 as something
// else.
constexpr absl::string_view kVersionComes("setData:\0\0\0\x0f/chaos/registry\0\0\0\0\0\0\0", 34);

// "… session 0x1 cxid 0x2 zxid 0x3 …" begins an entry; data may have line ends of their own.
bool ReadHead(absl::string_view line, RegistryWrite* write) {
  const auto word_after = [line](absl::string_view before) {
    const size_t at = line.find(before);
    if (at == absl::string_view::npos) return std::string();
    const absl::string_view rest = line.substr(at + before.size());
    return std::string(rest.substr(0, rest.find(' ')));
  };
  const std::string zxid = word_after(" zxid 0x");
  const std::string session = word_after(" session 0x");
  if (zxid.empty() || session.empty() || word_after(" cxid 0x").empty()) return false;
  write->session = session;
  write->version = 0;
  write->zxid = std::strtoull(zxid.c_str(), nullptr, 16);
  return true;
}

}  // namespace

std::vector<RegistryWrite> ParseTransactions(const std::string& text) {
  std::vector<RegistryWrite> writes;
  const absl::string_view all = text;
  RegistryWrite entry;  // The one that `line` is in.
  for (size_t line = 0; line < all.size();) {
    const size_t end = std::min(all.find('\n', line), all.size());
    (void)ReadHead(all.substr(line, end - line), &entry);
    const size_t version = all.find(kVersionComes, line);
    if (version < end && version + kVersionComes.size() < all.size()) {
      entry.version = all[version + kVersionComes.size()];
    }
    // "setData:", four bytes of length, the path. What was refused says "error:" instead.
    for (size_t at = all.find(kRegistry, line); at < end; at = all.find(kRegistry, at + 1)) {
      const absl::string_view before = all.substr(line, at - line);
      if (before.size() < 12 || before.substr(before.size() - 4, 3) != kThreeZeros) continue;
      const absl::string_view action = before.substr(0, before.size() - 4);
      if (!absl::EndsWith(action, "setData:") && !absl::EndsWith(action, "create:") &&
          !absl::EndsWith(action, "delete:")) {
        continue;
      }
      absl::string_view path = all.substr(at, static_cast<unsigned char>(before.back()));
      absl::ConsumePrefix(&path, kRegistry);
      entry.key = std::string(path);
      writes.push_back(entry);
    }
    line = end + 1;
  }
  return writes;
}

std::vector<RegistryWrite> MergeTransactions(const std::vector<std::vector<RegistryWrite>>& logs) {
  // Zxids are a total order. Two writes of one transaction stay in their order.
  std::map<uint64_t, std::vector<RegistryWrite>> transactions;
  for (const std::vector<RegistryWrite>& log : logs) {
    std::set<uint64_t> known;  // From other servers, or from an earlier file of this one.
    for (const auto& [zxid, writes] : transactions) known.insert(zxid);
    uint64_t last = 0;
    for (const RegistryWrite& write : log) {
      if (write.zxid != last) known.insert(last);
      last = write.zxid;
      if (known.count(write.zxid) == 0) transactions[write.zxid].push_back(write);
    }
  }
  std::vector<RegistryWrite> merged;
  for (const auto& [zxid, writes] : transactions) {
    merged.insert(merged.end(), writes.begin(), writes.end());
  }
  return merged;
}

std::string ForgottenByZooKeeper(const std::vector<RegistryWrite>& writes) {
  std::map<int, uint64_t> made_by;
  for (const RegistryWrite& write : writes) {
    if (write.version == 0) continue;
    const auto [it, first] = made_by.insert({write.version, write.zxid});
    if (first || it->second == write.zxid) continue;
    return absl::StrCat("ZooKeeper has forgotten what it had written: version ", write.version,
                        " of the registry was made by transaction 0x", absl::Hex(it->second),
                        " and again by 0x", absl::Hex(write.zxid));
  }
  return "";
}

}  // namespace proffer::chaos
