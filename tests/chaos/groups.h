// The control groups of a run's containers. They are the machine's, in no namespace of the run's:
// who made them has to take them away, even when the run itself was killed.
#pragma once

#include <string>
#include <vector>

namespace proffer::chaos {

// Why agents cannot contain tasks here, a sentence; empty: they can. Tried at a root of that name,
// which is gone again.
std::string WhyNoContainers(const std::string& trial);

// Of those below `root`, which may not exist.
std::vector<std::string> GroupsBelow(const std::string& root);

// The roots whose names begin so.
std::vector<std::string> GroupRoots(const std::string& prefix);

// With all below, killing whoever still lives in them. Returns why not, or "".
std::string RemoveGroups(const std::string& root);

}  // namespace proffer::chaos
