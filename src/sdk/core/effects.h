// What a scheduler's core decided: imperative, carried out by the shell in the order saves,
// drop_stream, calls, deliveries, connect, stop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/model/scheduler_protocol.h"
#include "sdk/core/saved_state.h"

namespace proffer::sdk {

// Find the leader and open a stream after `delay_ms`; then StreamUp, or StreamDown with stream 0.
// The server must have greeted within `greeting_ms`. Replaces a Connect that is still waiting.
struct Connect {
  int64_t delay_ms = 0;
  int64_t greeting_ms = 0;
};
// Close the stream, or give up opening one (stream 0).
struct DropStream {
  uint64_t stream = 0;
  std::string reason;
};
// Sent on the stream `stream` only; thrown away if that one is no more.
struct SendCall {
  uint64_t stream = 0;
  model::SchedulerCall call;
};
// Make these changes durable together, in the order of `seq`, and answer by the event Saved.
struct Save {
  uint64_t seq = 0;
  std::vector<Change> changes;
};

// --- Deliveries to the user, one after the other. ---

// The framework is subscribed, and its id is durable.
struct Ready {
  model::Subscribed subscribed;
};
// The stream broke; all offers are void. The core connects anew by itself.
struct Disconnected {
  std::string reason;
};
struct OffersCame {
  std::vector<model::Offer> offers;
};
struct OffersVoid {
  std::vector<model::OfferId> offers;
  std::string reason;
};
// A status. The shell answers every one by the event UpdateHandled, when the user is done with it.
struct Update {
  uint64_t number = 0;
  model::TaskStatus status;
  // Tells nothing that was not told before: a repetition, or older than what was told.
  bool duplicate = false;
  // The last word on this task: it has ended, or the cluster does not know it. Never twice.
  bool final = false;
  // A task of this scheduler's, of this life or of a former one that had a state store.
  bool own = false;
};
enum class Answer {
  kAnswered,  // By the master; see the items.
  kNotSent,   // Never reached the master, and never will; `items` says why.
  kUnknown,   // The stream broke first. Tasks are reconciled on the next stream.
};
struct CallDone {
  uint64_t request = 0;
  Answer answer = Answer::kAnswered;
  std::vector<model::CallResult::Item> items;
};
// Every task that this scheduler knew was asked about and answered, and strangers were told.
struct Reconciled {};

using Delivery = std::variant<Ready, Disconnected, OffersCame, OffersVoid, Update, CallDone,
                              model::AgentChanged, Reconciled>;

// Nothing comes after it.
struct Stop {
  enum class Cause {
    kLeft,         // As asked by LeaveAsked.
    kTornDown,     // As asked by TeardownAsked.
    kSuperseded,   // Another instance of this framework took over.
    kRemoved,      // The framework's id is not valid any more.
    kRefused,      // The master will never take this framework; `refusal` says why.
    kGaveUp,       // No master for give_up_after_ms.
    kStoreFailed,  // What has to be written cannot be.
  };
  Cause cause = Cause::kLeft;
  model::Refusal refusal = model::Refusal::kNone;
  std::string message;
};

struct Effects {
  std::vector<Save> saves;
  std::optional<DropStream> drop_stream;
  std::vector<SendCall> calls;
  std::vector<Delivery> deliveries;
  std::optional<Connect> connect;
  std::optional<Stop> stop;
};

}  // namespace proffer::sdk
