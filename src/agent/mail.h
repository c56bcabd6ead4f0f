// What lies in the agent's mailbox: an event of the core, or word that records are durable.
#pragma once

#include <cstdint>
#include <variant>

#include "agent/core/events.h"
#include "common/base/mailbox.h"

namespace proffer::agent {

struct RecordsDurable {
  uint64_t seq = 0;
};

using Mail = std::variant<Event, RecordsDurable>;
using AgentMailbox = Mailbox<Mail>;

}  // namespace proffer::agent
