#include "chaos/network.h"

#include <glog/logging.h>
#include <spawn.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "chaos/command.h"

extern char** environ;

namespace proffer::chaos {
namespace {

constexpr char kPrefix[] = "10.77.0.";

std::string NamespaceOf(const std::string& pid) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/" + pid + "/ns/net", ignored);
}

pid_t HoldNewNamespace() {
  std::vector<std::string> words = {"unshare", "--net", "sleep", "infinity"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  CHECK_EQ(posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ), 0);
  const std::string ours = NamespaceOf("self");
  // Nobody tells when it is in its own.
  while (true) {
    const std::string its = NamespaceOf(absl::StrCat(pid));
    if (!its.empty() && its != ours) return pid;
    usleep(500);
  }
}

}  // namespace

Network::Network(const std::vector<std::string>& nodes, uint64_t seed) : seed_(seed) {
  // With an address of its own, or it would change when links come and go.
  MustRun({"ip", "-batch", "-"},
          absl::StrCat("link set lo up\nlink add br0 address 02:00:00:00:00:fe type bridge\n",
                       "addr add ", kPrefix, "254/24 dev br0\nlink set br0 up\n"));
  int number = 0;
  std::string links;
  for (const std::string& name : nodes) {
    Node& node = nodes_[name];
    node.number = ++number;
    node.holder = HoldNewNamespace();
    // A port out of its bridge (slow_link.h) must not answer in the bridge's name.
    absl::StrAppend(&links, "link add v", name, " type veth peer name eth0 netns ", node.holder,
                    "\nlink set v", name, " arp off master br0 up\n");
  }
  MustRun({"ip", "-batch", "-"}, links);
  for (const std::string& name : nodes) {
    std::vector<std::string> words = Enter(name);
    for (const char* word : {"ip", "-batch", "-"}) words.emplace_back(word);
    MustRun(words, absl::StrCat("link set lo up\naddr add ", address(name),
                                "/24 dev eth0\nlink set eth0 up\n"));
  }
}

std::string Network::address(const std::string& node) const {
  return absl::StrCat(kPrefix, nodes_.at(node).number);
}

std::vector<std::string> Network::Enter(const std::string& node) const {
  return {"nsenter", absl::StrCat("--net=/proc/", nodes_.at(node).holder, "/ns/net"), "--"};
}

std::vector<pid_t> Network::holders() const {
  std::vector<pid_t> pids;
  for (const auto& [name, node] : nodes_) pids.push_back(node.holder);
  return pids;
}

void Network::SetRules(const std::map<std::string, std::vector<std::string>>& rules) {
  for (auto& [name, node] : nodes_) {
    const auto found = rules.find(name);
    std::vector<std::string> wanted;
    if (found != rules.end()) wanted = found->second;
    if (wanted == node.rules) continue;
    node.rules = wanted;
    std::string text =
        "flush ruleset\ntable inet chaos {\nchain in {\n"
        "type filter hook input priority 0;\niif \"lo\" accept\n";
    for (const std::string& rule : wanted) absl::StrAppend(&text, rule, "\n");
    text += "}\n}\n";
    std::vector<std::string> words = Enter(name);
    for (const char* word : {"nft", "-f", "-"}) words.emplace_back(word);
    MustRun(words, text);
  }
}

std::string Network::DropFrom(const std::string& node) const {
  return absl::StrCat("ip saddr ", address(node), " drop");
}
std::string Network::Lose(int percent) {
  return absl::StrCat("numgen random mod 100 < ", percent, " drop");
}
std::string Network::Refuse() { return "meta l4proto tcp reject with tcp reset"; }

void Network::SetWeather(const std::map<std::string, LinkWeather>& weather) {
  for (auto& [name, node] : nodes_) {
    const auto found = weather.find(name);
    if (found == weather.end()) {
      node.link.reset();
    } else if (node.link != nullptr) {
      node.link->SetWeather(found->second);
    } else {
      node.link = std::make_unique<SlowLink>("t" + name, "v" + name, "br0", found->second,
                                             seed_ + static_cast<uint64_t>(node.number));
    }
  }
}

bool Network::Reset(const std::string& node) const {
  std::vector<std::string> words = Enter(node);
  for (const char* word : {"ss", "--kill", "--tcp", "--no-header"}) words.emplace_back(word);
  std::string output;
  return RunCommand(words, "", &output);
}

}  // namespace proffer::chaos
