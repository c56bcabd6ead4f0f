// Whether a peer takes what is written to it: looked at now and then, and stuck when between two
// looks nothing has moved.
#pragma once

#include <cstdint>

namespace proffer::rpc {

class WriteProgress {
 public:
  void Wrote() { ++written_; }
  // `waits`: something is being written, or the end of the stream is.
  bool IsStuck(bool waits) {
    const bool stuck = waits && waited_ && written_ == written_then_;
    waited_ = waits;
    written_then_ = written_;
    return stuck;
  }

 private:
  uint64_t written_ = 0;
  // As it was at the last look.
  bool waited_ = false;
  uint64_t written_then_ = 0;
};

}  // namespace proffer::rpc
