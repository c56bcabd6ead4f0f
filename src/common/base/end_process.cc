#include "common/base/end_process.h"

#include <glog/logging.h>
#include <unistd.h>

namespace proffer {

void EndProcess(absl::string_view why) {
  LOG(ERROR) << "ending the process: " << why << "; restart recovers from what is stored";
  google::FlushLogFiles(google::GLOG_INFO);
  _exit(kExitLostLead);
}

}  // namespace proffer
