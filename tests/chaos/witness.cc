// chaos-witness FILE EXIT_CODE MILLISECONDS|FILE: the task that chaos runs. It writes down that it
// began, lives for so long or until that file is there, writes down that it ends, and ends as told.
// The history lies where no fault reaches it, so it says what really ran. Needs no library but C's:
// whatever breaks in ours does not break it.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"

namespace {

void Write(const char* path, const char* what, const char* exit_code) {
  const char* task = getenv("PROFFER_TASK_ID");
  const char* attempt = getenv("PROFFER_ATTEMPT");
  char line[512];
  const int length = snprintf(line, sizeof(line), "%lld %s %s %s%s%s\n",
                              static_cast<long long>(proffer::BootTimeNow().ms), what,
                              task == nullptr ? "?" : task, attempt == nullptr ? "?" : attempt,
                              exit_code[0] == '\0' ? "" : " ", exit_code);
  // One write each time: lines of several tasks never mix.
  const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
  if (fd < 0 || write(fd, line, static_cast<size_t>(length)) != length) _exit(99);
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 98;
  Write(argv[1], "start", "");
  if (strchr(argv[3], '/') == nullptr) {
    usleep(static_cast<useconds_t>(atoi(argv[3])) * 1000);
  } else {
    while (access(argv[3], F_OK) != 0) usleep(200'000);
  }
  Write(argv[1], "end", argv[2]);
  return atoi(argv[2]);
}
