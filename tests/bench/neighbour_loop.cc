// The program whose latency neighbour_bench watches: a request every millisecond, each of a fixed
// amount of work of about 200 us. Writes how long each took, from when it was due, into a file that
// it shares with who watches. With --bomb it is the worst neighbour instead: everybody forks, and
// who may not tries again.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/neighbour_log.h"

namespace {

using proffer::bench::NeighbourLog;

constexpr int64_t kPeriodNs = 1'000'000;
constexpr int64_t kWorkNs = 200'000;

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

uint64_t Work(int64_t rounds) {
  uint64_t state = 1;
  for (int64_t i = 0; i < rounds; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    asm volatile("" : "+r"(state));
  }
  return state;
}

// How many rounds take that long when nobody is in the way: the shortest of many tries.
int64_t RoundsFor(int64_t ns) {
  constexpr int64_t kTry = 100'000;
  int64_t best = INT64_MAX;
  for (int i = 0; i < 200; ++i) {
    const int64_t begin = NowNs();
    Work(kTry);
    const int64_t took = NowNs() - begin;
    if (took < best) best = took;
  }
  return kTry * ns / best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--bomb") == 0) {
    for (;;) fork();
  }
  const int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
  void* memory =
      fd < 0 ? MAP_FAILED
             : mmap(nullptr, sizeof(NeighbourLog), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    perror("bench-neighbour FILE");
    return 1;
  }
  NeighbourLog* log = static_cast<NeighbourLog*>(memory);
  const int64_t rounds = RoundsFor(kWorkNs);
  int64_t due = NowNs() + kPeriodNs;
  for (uint64_t n = 0; n < NeighbourLog::kMost; ++n, due += kPeriodNs) {
    const timespec until = {due / 1'000'000'000, due % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    Work(rounds);
    log->took_ns[n] = static_cast<uint32_t>(NowNs() - due);
    log->count.store(n + 1, std::memory_order_release);
  }
  return 0;
}
