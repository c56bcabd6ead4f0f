// A link whose packets take their time, or overtake each other: a thread that takes each frame off
// one side and puts it on the other when it is due. There is one only while a fault wants it; at
// any other time the kernel's own link is in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/prng.h"
#include "common/base/time.h"

namespace proffer::chaos {

// What happens to each packet of a link, in either direction.
struct LinkWeather {
  int64_t delay_ms = 0;   // Every packet alike: none overtakes another.
  int64_t spread_ms = 0;  // Each up to so much more, drawn for itself: later ones overtake.

  friend bool operator==(const LinkWeather&, const LinkWeather&) = default;
};

// THREAD: one, but for what it does on its own.
class SlowLink {
 public:
  // `port` is the side of a veth pair that is in `bridge`; a device of ours, `name`, takes its
  // place there.
  SlowLink(std::string name, std::string port, std::string bridge, LinkWeather weather,
           uint64_t seed);
  // What still waits arrives at once; the port is in its bridge again.
  ~SlowLink();
  SlowLink(const SlowLink&) = delete;
  SlowLink& operator=(const SlowLink&) = delete;

  void SetWeather(LinkWeather weather);

 private:
  using Frame = std::vector<char>;
  // From one side, for the other. By when it is due; at the same moment by when it came.
  struct Direction {
    int from = -1;
    int to = -1;
    std::map<Time, std::deque<Frame>> waiting;
    size_t waiting_bytes = 0;
  };

  void Run();
  void Take(Direction* direction);
  static void Deliver(Direction* direction, Time until);
  LinkWeather weather() const;

  const std::string port_;
  const std::string bridge_;
  mutable Mutex mutex_;
  LinkWeather weather_ GUARDED_BY_MUTEX(mutex_);
  Prng prng_;  // The thread's.
  int tap_ = -1;
  int packets_ = -1;
  int stop_ = -1;  // An eventfd that becomes readable.
  Direction in_;   // To the node.
  Direction out_;
  std::thread thread_;
};

}  // namespace proffer::chaos
