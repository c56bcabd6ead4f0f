// A TCP relay on loopback between a client and one server, that can be made to misbehave.
#pragma once

#include <list>
#include <string>
#include <thread>

#include "common/base/mutex.h"

namespace proffer::testing {

class Relay {
 public:
  // `target`: "127.0.0.1:port".
  explicit Relay(const std::string& target);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Where clients connect to, "127.0.0.1:port".
  const std::string& address() const { return address_; }

  // The next request with `text` in it is passed on; when the server answers, the connection is cut
  // and the answer is lost. Once.
  void CutAnswerTo(const std::string& text);
  bool has_cut() const;
  // Connections stay, and are taken; nothing gets through either way until it is over.
  void Stall(bool stalled);

 private:
  struct Pair {
    int client = -1;
    int server = -1;
    bool cut_answer = false;
  };

  void Run();
  void Accept();
  // False: the connection is over.
  bool Pass(Pair* pair, bool from_client);

  const std::string target_;
  std::string address_;
  int listener_ = -1;
  int wake_ = -1;
  std::list<Pair> pairs_;  // Of the thread alone.

  mutable Mutex mutex_;
  std::string cut_on_ GUARDED_BY_MUTEX(mutex_);
  bool has_cut_ GUARDED_BY_MUTEX(mutex_) = false;
  bool stalled_ GUARDED_BY_MUTEX(mutex_) = false;
  bool ending_ GUARDED_BY_MUTEX(mutex_) = false;
  std::thread thread_;
};

}  // namespace proffer::testing
