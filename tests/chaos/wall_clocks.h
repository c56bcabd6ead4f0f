// The wall clocks of the daemons, which can be set: all are right until then.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace proffer::chaos {

class WallClocks {
 public:
  // A file each in `directory`, which every daemon sees; `library` is clock/wrong_clock.cc.
  WallClocks(std::string directory, std::string library);

  // Words in front of a command, whose clock this is from then on. The command and all that it
  // starts must be dynamically linked, or the clock stays right.
  std::vector<std::string> Wear(const std::string& daemon);

  // By how much they are wrong from now on; all others are right.
  void Set(const std::map<std::string, int64_t>& offsets_ms);

 private:
  std::string PathOf(const std::string& daemon) const { return directory_ + "/" + daemon; }

  const std::string directory_;
  const std::string library_;
  std::map<std::string, int64_t> offsets_ms_;
};

}  // namespace proffer::chaos
