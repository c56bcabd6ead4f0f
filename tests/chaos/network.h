// One network namespace a node, each joined to a bridge in ours. Nothing has a name outside: with
// the last process in it a namespace is gone, and its links with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chaos/slow_link.h"

namespace proffer::chaos {

class Network {
 public:
  // REQUIRES: we are alone in our network namespace.
  Network(const std::vector<std::string>& nodes, uint64_t seed);

  // "10.77.0.7"
  std::string address(const std::string& node) const;
  // Words that begin a command there.
  std::vector<std::string> Enter(const std::string& node) const;
  // The process that holds a node's namespace open while nothing else is in it.
  std::vector<pid_t> holders() const;

  // What reaches each node from now on; all else does. Lines of nft for the input of a node,
  // earlier ones first.
  void SetRules(const std::map<std::string, std::vector<std::string>>& rules);
  // Lines for SetRules. Only what comes from other nodes is meant, never from the node itself.
  std::string DropFrom(const std::string& node) const;
  static std::string Lose(int percent);
  static std::string Refuse();

  // What the links of these nodes do to packets from now on; those of all others do nothing.
  void SetWeather(const std::map<std::string, LinkWeather>& weather);

  // Destroys every TCP connection that has an end there; false: something could not be.
  bool Reset(const std::string& node) const;

 private:
  struct Node {
    int number = 0;
    pid_t holder = 0;
    std::vector<std::string> rules;
    std::unique_ptr<SlowLink> link;
  };
  const uint64_t seed_;
  std::map<std::string, Node> nodes_;
};

}  // namespace proffer::chaos
