// The processes of one task, as its shim handles them: in a container with an init of its own, or
// in a process group.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "isolator/cgroup/group.h"
#include "launcher/shim.h"
#include "launcher/wire.h"

namespace proffer::launcher {

class Container {
 public:
  // What became known. Several at once.
  struct News {
    pid_t started = 0;   // The task runs and has this pid.
    std::string failed;  // It could not be started, and why.
    bool ended = false;  // With the code below; others of the container may live.
    bool signalled = false;
    int32_t code = 0;
  };

  Container(const isolator::LaunchPlan& plan, const ShimContext& context);
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  // Begins to start the task with these as its output.
  News Start(int output, int error);

  // Descriptors to poll for reading, -1: none. Then, and after SIGCHLD, ask for news.
  int channel() const { return channel_; }
  int out_of_memory() const { return out_of_memory_; }
  News Listen();
  // True once the kernel has killed something for want of memory; asked after its descriptor was
  // readable. The event comes before the deed, so it may have to be asked again.
  bool RanOutOfMemory();

  void Signal(int number);  // To the task's process group.
  void Kill();              // SIGKILL to everything.
  // True when nothing lives any more; kills what does.
  bool Swept();
  // After Swept: fills in what the control groups say. True if the kernel has killed something for
  // want of memory.
  bool Account(Ended* ended) const;
  // After that: removes the control groups, with whoever was put into them from outside. What is
  // left all the same, or "".
  std::string Remove();

 private:
  bool has_init() const { return plan_.namespaces != 0; }
  News StartInit(int output, int error);
  void Hear(News* news);  // What init says.
  void Reap(News* news);

  const isolator::LaunchPlan& plan_;
  const ShimContext& context_;
  std::optional<isolator::CgroupGroup> group_;
  int channel_ = -1;
  int out_of_memory_ = -1;
  pid_t child_ = 0;        // Init, or the task itself; 0: none, or reaped.
  bool told_end_ = false;  // Our caller knows that it ended, or could not be started.
};

}  // namespace proffer::launcher
