// A session with ZooKeeper: one handle of the C client, for as long as the session lives.
//
// The client's own threads are never lent out: results are waited for, and whoever wants to know
// that something has changed waits for *news* and looks again. Paths are below the chroot: "" is
// the chroot itself, "/election" a child of it.
//
// Errors, everywhere the same:
//   UNAVAILABLE    the connection or the session was lost. Of a change this says nothing about
//                  whether it was made.
//   CANCELLED      Abandon was called.
//   NOT_FOUND, ALREADY_EXISTS   the node is not there, or is.
//   ABORTED        the node has another version than the one demanded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mutex.h"
#include "common/base/time.h"
#include "common/zookeeper/address.h"

// The C client's handle.
struct _zhandle;

namespace proffer::zk {

struct Node {
  std::string data;
  int32_t version = 0;       // Of the data: 0 when created, one more with each change.
  int64_t created_zxid = 0;  // No other node ever has the same.
};

// One step of a multi.
struct Op {
  enum class Kind { kCreate, kSet, kDelete, kCheck };
  Kind kind = Kind::kCheck;
  std::string path;
  std::string data;
  int32_t version = -1;  // The node's, for all but kCreate; -1: any.

  // What it counts for in the bound on a multi: its bytes on the wire, rounded up.
  size_t bytes() const { return path.size() + data.size() + 64; }
};
Op CreateOp(std::string path, std::string data);
Op SetOp(std::string path, std::string data, int32_t version);
Op DeleteOp(std::string path, int32_t version);
Op CheckOp(std::string path, int32_t version);

struct MultiResult {
  absl::Status status;
  // Which of the ops was refused; nullopt: none, or it is not known.
  std::optional<size_t> refused;
};

// THREAD: any. Calls wait for their answer, so none may be made in `lost`.
class Session {
 public:
  struct Options {
    // How long ZooKeeper keeps the session, and its ephemeral nodes, without a word from us. The
    // servers may allow only more or less than that (2 to 20 of their ticks).
    int64_t timeout_ms = 10'000;
    // Called once, on a thread of the session, when it is over or must be taken for over: expired,
    // not connected for as long as its timeout (nobody can tell us of the expiry then; this counts
    // for the first connection too), or the process stood still for so long. Not called because of
    // Abandon or the destructor. It must not destroy the session. May be null.
    std::function<void(const absl::Status& why)> lost;
  };

  // Begins to connect to any of the servers, and goes on by itself until the session is lost.
  // UNAVAILABLE when a name of a server cannot be resolved.
  static absl::StatusOr<std::unique_ptr<Session>> Open(const Address& address, Options options);
  // The same, and waits until a server has taken us in: UNAVAILABLE when none does within the
  // timeout of the session.
  static absl::StatusOr<std::unique_ptr<Session>> Connect(const Address& address, Options options);
  // Ends the session: its ephemeral nodes are gone at once, when a server can be reached.
  // REQUIRES: no call is under way; Abandon ends those that are.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Address& address() const { return address_; }
  // As agreed with the servers, and before that as asked for.
  int64_t timeout_ms() const;

  // --- News: a watched node has changed, the connection went or came back, or Poke was called ---
  uint64_t news() const;
  // Waits until there is other news than `seen`.
  void AwaitNews(uint64_t seen) const;
  void Poke();
  // OK as long as the session lives; then why it does not, or CANCELLED.
  absl::Status state() const;
  // Waits for a connection, as long as the session lives; then state().
  absl::Status AwaitConnected() const;
  // All calls, those under way too, end soon with CANCELLED. What was sent may still happen.
  void Abandon();

  // --- Reading. Repeated when the connection is lost, until the session is ---
  // What any client has changed before this call is seen by our reads after it.
  absl::Status Sync();
  absl::StatusOr<Node> Get(const std::string& path);
  // The answers in the order of `paths`, with at most kGetsInFlight under way. The first error but
  // for NOT_FOUND ends it; a node that is not there is nullopt.
  absl::StatusOr<std::vector<std::optional<Node>>> GetAll(const std::vector<std::string>& paths);
  // The names, sorted. `watch`: a change of the list is news, once.
  absl::StatusOr<std::vector<std::string>> Children(const std::string& path, bool watch);
  // Without data. `watch`: creation, deletion or change of the node is news, once.
  absl::StatusOr<std::optional<Node>> Exists(const std::string& path, bool watch);

  // --- Changing. Never repeated ---
  absl::Status Create(const std::string& path, const std::string& data);
  // A node that goes when the session ends, its path `prefix` and a number of ten digits that is
  // above those before. Returns the name behind the last slash.
  absl::StatusOr<std::string> CreateEphemeralSequential(const std::string& prefix,
                                                        const std::string& data);
  absl::Status Delete(const std::string& path, int32_t version);
  // All of the ops or none.
  MultiResult Multi(const std::vector<Op>& ops);
  // One after the other, without waiting in between: kMultisInFlight are under way at once. Stops
  // sending after the first that fails; those that were on their way by then may succeed, unless
  // they depend on it. Returns the first that failed, else OK.
  MultiResult MultiAll(const std::vector<std::vector<Op>>& multis);
  // The chroot with all its parents, then `path`, each when it is missing.
  absl::Status MakePath(const std::string& path);

  static constexpr size_t kGetsInFlight = 256;
  static constexpr size_t kMultisInFlight = 16;

 private:
  Session(Address address, Options options);

  static void OnEvent(_zhandle* handle, int type, int state, const char* path, void* session);
  void Connection(_zhandle* handle, int state) REQUIRES_MUTEX(mutex_);
  // Tells of the loss once, and takes a connection that stays away for a lost session.
  void Monitor();
  void Lose(absl::string_view why) REQUIRES_MUTEX(mutex_);
  // Sends a request by `send(done)`, which answers with the client's code and has `done` called on
  // the client's thread, and waits for that.
  template <typename T, typename Send>
  absl::StatusOr<T> Ask(absl::string_view what, const Send& send);
  // Again and again while it is the connection that fails and the session lives.
  template <typename Attempt>
  auto Repeat(const Attempt& attempt) -> decltype(attempt());
  absl::Status CreateFull(const std::string& full_path, const std::string& data);
  absl::StatusOr<std::vector<std::optional<Node>>> TryGetAll(const std::vector<std::string>& paths);
  std::string Full(const std::string& path) const { return address_.chroot + path; }

  const Address address_;
  const Options options_;
  _zhandle* handle_ = nullptr;

  mutable Mutex mutex_;
  mutable CondVar changed_;
  uint64_t news_ GUARDED_BY_MUTEX(mutex_) = 0;
  int64_t timeout_ms_ GUARDED_BY_MUTEX(mutex_);
  bool connected_ GUARDED_BY_MUTEX(mutex_) = false;
  Time disconnected_since_ GUARDED_BY_MUTEX(mutex_);
  absl::Status state_ GUARDED_BY_MUTEX(mutex_);
  bool to_tell_ GUARDED_BY_MUTEX(mutex_) = false;
  bool closing_ GUARDED_BY_MUTEX(mutex_) = false;
  std::thread monitor_;
};

}  // namespace proffer::zk
