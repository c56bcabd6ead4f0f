// A connection to another master that only waits for its end. A process that dies cannot keep its
// sockets: the kernel closes them at once, long before anybody misses its word in ZooKeeper.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc/address.h"

namespace proffer::master {

// THREAD: any.
class Lifeline {
 public:
  // `died` is called once, on a thread of the lifeline, when a connection that once was there has
  // ended and two attempts to make it again were refused (or found no socket's file): nobody
  // listens any more. Whoever has never been reached, is silent, or closes and can be reached
  // again, lives. It must not destroy the lifeline.
  //
  // `addresses`: of the other master, tried in turn until one answers. At least one.
  Lifeline(std::vector<rpc::Address> addresses, std::function<void()> died);
  // Waits for a call of `died` that is under way.
  ~Lifeline();
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  enum class Attempt { kConnected, kRefused, kUnknown };

  void Run();
  // Leaves the socket in `*socket` when connected.
  Attempt Connect(const rpc::Address& address, int* socket) const;
  // Until the other side closes; false: the lifeline is to end.
  bool AwaitClose(int socket) const;
  // False: the lifeline is to end.
  bool Pause(int64_t ms) const;

  const std::vector<rpc::Address> addresses_;
  const std::function<void()> died_;
  const int stop_;  // An eventfd that becomes readable.
  std::thread thread_;
};

}  // namespace proffer::master
