// Preloaded into daemons: their wall clock is wrong by what a file says, and jumps when that
// changes. The file, eight bytes that PROFFER_WRONG_CLOCK names, holds nanoseconds.
//
// Of the C library's functions those are replaced by which our daemons and their libraries see wall
// time: three that tell it, and the wait for a futex until a moment of it, which is how absl::Mutex
// and so gRPC wait: like the kernel's own, such a wait ends early or late when the clock is set
// meanwhile. Waits for so long, and clocks that count from the start of the machine, stay right.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
// How late a waiter notices that the clock was set.
constexpr int64_t kLookNs = 100'000'000;

// Other libraries ask before any constructor of ours has run.
const int64_t* Offset() {
  static const int64_t* const offset = [] {
    static const int64_t kRight = 0;
    const char* path = getenv("PROFFER_WRONG_CLOCK");
    const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return &kRight;
    void* page = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return page == MAP_FAILED ? &kRight : static_cast<const int64_t*>(page);
  }();
  return offset;
}
int64_t OffsetNs() { return __atomic_load_n(Offset(), __ATOMIC_RELAXED); }

template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int RealClock(clockid_t clock, timespec* now) {
  static const auto real = Real<int (*)(clockid_t, timespec*)>("clock_gettime");
  return real(clock, now);
}

int64_t ToNs(const timespec& time) { return time.tv_sec * kSecondNs + time.tv_nsec; }
timespec FromNs(int64_t ns) { return {ns / kSecondNs, ns % kSecondNs}; }

int64_t RealNowNs() {
  timespec now;
  RealClock(CLOCK_REALTIME, &now);
  return ToNs(now);
}

using Syscall = long (*)(long, ...);

long WaitUntilWrongTime(Syscall real, const long (&words)[6]) {
  const int64_t deadline = ToNs(*reinterpret_cast<const timespec*>(words[3]));
  while (true) {
    const int64_t due = deadline - OffsetNs();
    const int64_t look = RealNowNs() + kLookNs;
    timespec until = FromNs(due < 0 ? 0 : due < look ? due : look);
    const auto result = real(SYS_futex, words[0], words[1], words[2], &until, words[4], words[5]);
    if (result != -1 || errno != ETIMEDOUT) return result;
    if (deadline - OffsetNs() <= RealNowNs()) {
      errno = ETIMEDOUT;
      return -1;
    }
  }
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const int result = RealClock(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    *now = FromNs(ToNs(*now) + OffsetNs());
  }
  return result;
}

int gettimeofday(timeval* now, void*) noexcept {
  const timespec wrong = FromNs(RealNowNs() + OffsetNs());
  now->tv_sec = wrong.tv_sec;
  now->tv_usec = wrong.tv_nsec / 1'000;
  return 0;
}

time_t time(time_t* now) noexcept {
  const time_t wrong = FromNs(RealNowNs() + OffsetNs()).tv_sec;
  if (now != nullptr) *now = wrong;
  return wrong;
}

long syscall(long number, ...) noexcept {
  static const auto real = Real<Syscall>("syscall");
  // However few there are: what nobody reads does no harm.
  long words[6];
  va_list list;
  va_start(list, number);
  for (auto& word : words) word = va_arg(list, long);
  va_end(list);
  const bool waits = number == SYS_futex && (words[1] & FUTEX_CLOCK_REALTIME) != 0 && words[3] != 0;
  if (waits) return WaitUntilWrongTime(real, words);
  return real(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
}
