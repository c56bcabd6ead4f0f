// Listens to one agent, checks what it asks for, and forks a shim for every container. Survives the
// agent's restarts; tasks survive its own. Single-threaded and small, so that a fork is cheap.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "launcher/config.h"
#include "launcher/shim.h"
#include "launcher/wire.h"

namespace proffer::launcher {

class Launcher {
 public:
  // `title` and `title_bytes`: the memory of the command line, where shims put a name for ps.
  Launcher(Config config, char* title, size_t title_bytes);

  // Makes its directories, cgroups and socket. Returns why not, or "".
  std::string Start();
  const Welcome& welcome() const { return welcome_; }
  // Until SIGTERM or SIGINT; returns 0.
  int Run();
  // Instead of Start: kills what all containers have and removes their cgroups. Returns what is
  // left, or "".
  std::string Clean();

 private:
  std::string Listen();
  void DetectIsolation();
  void Accept();
  void Hear();
  void Hang();  // Up: the agent has gone, or speaks another language.
  void Take(const Frame& frame);
  void Launch(const Frame& frame);
  void Destroy(uint64_t request, const std::string& name);
  void DeleteSandbox(uint64_t request, const std::string& path);
  void Say(Type type, const std::string& body);
  void Watch(int fd);
  // Forks; in the child, which never returns, `work` has run.
  template <typename Work>
  bool Fork(const Work& work);

  const Config config_;
  char* const title_;
  const size_t title_bytes_;
  ShimContext context_;
  Welcome welcome_;
  int epoll_ = -1;
  int signals_ = -1;
  int listener_ = -1;
  int agent_ = -1;
  std::string input_;
  std::deque<int> descriptors_;  // Received and not yet taken by a kLaunch.
};

}  // namespace proffer::launcher
