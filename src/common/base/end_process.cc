#include "common/base/end_process.h"

#include <glog/logging.h>
#include <unistd.h>

namespace proffer {

void EndProcess(absl::string_view why, int exit_status) {
  LOG(ERROR) << "ending the process: " << why;
  google::FlushLogFiles(google::GLOG_INFO);
  _exit(exit_status);
}

}  // namespace proffer
