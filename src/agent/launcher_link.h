// The agent's connection to the launcher of its machine. Used by the runner's thread alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "isolator/isolator.h"
#include "isolator/launch_plan.h"
#include "launcher/wire.h"

namespace proffer::agent {

class LauncherLink {
 public:
  struct Answer {
    launcher::Type type = launcher::Type::kDone;  // kWelcome, kRefused, kDone or kContainers.
    uint64_t request = 0;
    std::string text;
    std::vector<std::string> containers;
  };

  explicit LauncherLink(std::string socket) : socket_(std::move(socket)) {}
  ~LauncherLink();
  LauncherLink(const LauncherLink&) = delete;
  LauncherLink& operator=(const LauncherLink&) = delete;

  // Returns true if there is a connection afterwards. It is ready once kWelcome has come.
  bool Connect();
  void Disconnect();
  // To be polled; -1: not connected.
  int fd() const { return fd_; }
  bool ready() const { return fd_ >= 0 && welcomed_; }
  bool wants_to_write() const { return !output_.empty(); }
  const std::string& socket() const { return socket_; }
  // Of the launcher that was met last.
  const isolator::MachineFacts& facts() const { return facts_; }

  // Each returns the number of the request. REQUIRES: ready().
  // Takes `connection` (closed here once it was sent), the shim's end of a socket pair.
  uint64_t Launch(const isolator::LaunchPlan& plan, int connection);
  uint64_t Destroy(const std::string& container);
  uint64_t ListContainers();
  uint64_t DeleteSandbox(const std::string& path);

  // Reads and writes what can be. What came is appended to `answers`. False: the connection has
  // ended, and with it the requests that were not answered.
  bool Serve(std::vector<Answer>* answers);

 private:
  struct Frame {
    std::string bytes;
    int descriptor = -1;
  };
  uint64_t Say(launcher::Type type, std::string body, int descriptor);
  bool Flush();

  const std::string socket_;
  int fd_ = -1;
  bool welcomed_ = false;
  isolator::MachineFacts facts_;
  uint64_t last_request_ = 0;
  std::string input_;
  std::vector<Frame> output_;
};

}  // namespace proffer::agent
