#include "chaos/leaderships.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace proffer::chaos {

void Leaderships::Tick(Time now) {
  const auto first_new = static_cast<std::ptrdiff_t>(all_.size());
  for (const auto& [master, path] : logs_) {
    int64_t& read = read_[master];
    std::ifstream log(path, std::ios::binary);
    if (!log.seekg(read)) continue;
    std::string text(std::istreambuf_iterator<char>(log), {});
    text.resize(text.rfind('\n') + 1);  // 0 of none.
    read += static_cast<int64_t>(text.size());
    for (Leadership& one : ParseLeaderships(master, text)) {
      one.at_ms = now.ms;
      all_.push_back(std::move(one));
    }
  }
  std::sort(all_.begin() + first_new, all_.end(),
            [](const Leadership& a, const Leadership& b) { return a.epoch < b.epoch; });
}

}  // namespace proffer::chaos
