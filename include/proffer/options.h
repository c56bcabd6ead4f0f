// What a framework tells about itself at its start.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proffer/state_store.h"

namespace proffer {

// What to do when the master says that the framework's id is not valid any more, because it was
// torn down or away for longer than its failover timeout. A master of another cluster, or one that
// has lost its registry, is something else: the framework stops with StopCause::kRefused, because
// its tasks may be running.
enum class OnRemoved {
  kFail,   // Stop with StopCause::kRemoved. Somebody should look at it.
  kNewId,  // Forget all tasks, whose ends are told, and begin as a new framework.
};

struct FrameworkOptions {
  std::string name;  // [A-Za-z0-9._-]{1,128}. Required.
  // Where the masters are: unix:/path or host:port, several separated by commas, or the ZooKeeper
  // that elects them, zk://host:port[,host:port...]/chroot. Empty: the environment variable
  // PROFFER_MASTER, else the context file (context.h).
  std::string master = {};
  std::vector<std::string> roles = {"default"};
  // Where the id and the intents are kept. None: in memory.
  std::shared_ptr<StateStore> state_store = nullptr;
  // Whether the framework survives its process: a durable one has a record with the master, and its
  // tasks live on until it is back, at most for the failover timeout. One that is not is torn down
  // 10 s after it disconnects. Default: durable if there is a state store.
  std::optional<bool> durable = std::nullopt;
  std::chrono::milliseconds failover_timeout = std::chrono::hours(24 * 7);
  OnRemoved on_removed = OnRemoved::kFail;
  // Stop when no master was found for so long. 0: never.
  std::chrono::milliseconds give_up_after = std::chrono::milliseconds(0);
  std::string web_url = {};  // Of the framework's own page, if any.
  // Hears single lines for people: lost and found masters, refusals. None: silence. Called on any
  // thread, one at a time.
  std::function<void(const std::string&)> log = nullptr;
};

// Why a framework stopped for good.
enum class StopCause {
  kLeft,         // As asked; its tasks live on.
  kTornDown,     // As asked; its tasks are killed.
  kSuperseded,   // Another instance of it took over.
  kRemoved,      // Its id is not valid any more; see OnRemoved.
  kRefused,      // The master will never take it.
  kGaveUp,       // No master for give_up_after.
  kStoreFailed,  // The state store failed.
};

struct Stopped {
  StopCause cause = StopCause::kLeft;
  std::string refusal;  // The master's word for it, for instance "WRONG_PRINCIPAL", if any.
  std::string message;  // For people.

  bool ok() const { return cause == StopCause::kLeft || cause == StopCause::kTornDown; }
};

}  // namespace proffer
