#include "common/zookeeper/client_log.h"

#include <glog/logging.h>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "zookeeper/zookeeper.h"

namespace proffer::zk {

// "2024-01-31 10:00:00,123:4567(0x7f…):ZOO_ERROR@function@123: text"
void LogOfClient(const char* line) {
  absl::string_view text = line;
  const bool trouble =
      absl::StrContains(text, ":ZOO_ERROR@") || absl::StrContains(text, ":ZOO_WARN@");
  if (const size_t at = text.find('@'); at != absl::string_view::npos) {
    if (const size_t end = text.find(": ", at); end != absl::string_view::npos) {
      text = text.substr(end + 2);
    }
  }
  if (trouble) {
    LOG_EVERY_T(WARNING, 10) << "ZooKeeper client: " << text;
  }
  VLOG(1) << "ZooKeeper client: " << text;
}

void SetClientLogLevel() {
  zoo_set_debug_level(VLOG_IS_ON(1) ? ZOO_LOG_LEVEL_INFO : ZOO_LOG_LEVEL_WARN);
}

}  // namespace proffer::zk
