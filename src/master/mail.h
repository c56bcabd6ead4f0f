// What lies in the master's mailbox: an event of the outside, or word that records are durable.
#pragma once

#include <cstdint>
#include <functional>
#include <variant>

#include "common/base/mailbox.h"
#include "master/core/events.h"

namespace proffer::master {

struct RecordsDurable {
  uint64_t seq = 0;
};

struct Mail {
  std::variant<Event, RecordsDurable> what;
  // Called when the core has taken it; lets the stream read on. May be empty.
  std::function<void()> taken;
};

using MasterMailbox = Mailbox<Mail>;

}  // namespace proffer::master
