#include "common/metrics/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "common/metrics/family.h"

namespace proffer::metrics {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6;
}

double ResidentBytes() {
  double size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenDescriptors() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  int count = -1;  // The directory's own.
  while (const dirent* entry = readdir(directory)) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

}  // namespace

std::vector<prometheus::MetricFamily> Process::Collect() const {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  return {
      Counter("process_cpu_seconds_total", "Processor time used, by user and system.",
              Seconds(used.ru_utime) + Seconds(used.ru_stime)),
      Gauge("process_resident_memory_bytes", "Memory that is resident.", ResidentBytes()),
      Gauge("process_open_fds", "Open file descriptors.", OpenDescriptors()),
      Gauge("process_max_fds", "How many file descriptors may be open.",
            static_cast<double>(descriptors.rlim_cur)),
  };
}

}  // namespace proffer::metrics
