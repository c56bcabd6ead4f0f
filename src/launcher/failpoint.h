// Places at which a test lets a process die: FAILPOINT("shim:claimed") ends the process with
// SIGKILL if PROFFER_FAILPOINT is that name. Only in proffer-launcher-failpoints and
// proffer-agent-failpoints, programs that are built for tests; elsewhere nothing is left of them.
#pragma once

#ifdef PROFFER_FAILPOINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// "name" dies every time; "name@path" only if it can still remove the file `path`, that is once.
#define FAILPOINT(name)                                                                \
  do {                                                                                 \
    const char* told = getenv("PROFFER_FAILPOINT");                                    \
    const size_t size = sizeof(name) - 1;                                              \
    if (told != nullptr && strncmp(told, name, size) == 0 &&                           \
        (told[size] == '\0' || (told[size] == '@' && unlink(told + size + 1) == 0))) { \
      kill(getpid(), SIGKILL);                                                         \
    }                                                                                  \
  } while (false)
#else
#define FAILPOINT(name) \
  do {                  \
  } while (false)
#endif
