#include "common/zookeeper/session.h"

#include <glog/logging.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/zookeeper/client_log.h"
#include "zookeeper/zookeeper.h"

namespace proffer::zk {
namespace {

// What a request's answer is handed to. On the heap, and gone with the answer: whoever asked may
// have stopped waiting.
template <typename T>
using Done = std::function<void(int code, T value)>;

template <typename T>
void Finish(const void* data, int code, T value) {
  auto* done = static_cast<const Done<T>*>(data);
  (*done)(code, std::move(value));
  delete done;
}

// For answers without a value.
struct Nothing {};

void OnVoid(int code, const void* data) { Finish(data, code, Nothing()); }

void OnName(int code, const char* name, const void* data) {
  Finish(data, code, std::string(code == ZOK && name != nullptr ? name : ""));
}

void OnNames(int code, const String_vector* names, const void* data) {
  std::vector<std::string> all;
  if (code == ZOK && names != nullptr) all.assign(names->data, names->data + names->count);
  Finish(data, code, std::move(all));
}

void OnStat(int code, const Stat* stat, const void* data) {
  Node node;
  if (code == ZOK) node = {"", stat->version, stat->czxid};
  Finish(data, code, std::move(node));
}

void OnData(int code, const char* bytes, int size, const Stat* stat, const void* data) {
  Node node;
  if (code == ZOK) {
    // A node without data has null and -1.
    node = {std::string(absl::string_view(bytes, std::max(size, 0))), stat->version, stat->czxid};
  }
  Finish(data, code, std::move(node));
}

absl::Status Failure(int code, absl::string_view what) {
  switch (code) {
    case ZOK:
      return absl::OkStatus();
    case ZNONODE:
      return absl::NotFoundError(absl::StrCat(what, ": no such node"));
    case ZNODEEXISTS:
      return absl::AlreadyExistsError(absl::StrCat(what, ": the node is there already"));
    case ZBADVERSION:
      return absl::AbortedError(absl::StrCat(what, ": the node has been changed by another"));
    case ZNOAUTH:
      return absl::PermissionDeniedError(
          absl::StrCat(what, ": ZooKeeper refuses it; look at the node's ACL"));
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
    case ZINVALIDSTATE:
    case ZCLOSING:
      return absl::UnavailableError(
          absl::StrCat(what, ": the connection to ZooKeeper was lost (", zerror(code), ")"));
    default:
      return absl::InternalError(absl::StrCat(what, ": ", zerror(code)));
  }
}

// A multi under way: the client fills in the results.
struct Multi {
  std::vector<zoo_op_t> ops;
  std::vector<zoo_op_result_t> results;
  std::vector<std::string> paths;  // Below the chroot, for messages.
  Done<MultiResult> done;
};

void OnMulti(int code, const void* data) {
  const std::unique_ptr<const Multi> multi(static_cast<const Multi*>(data));
  MultiResult result;
  if (code != ZOK) {
    std::string what = "multi";
    for (size_t i = 0; i < multi->results.size(); ++i) {
      const int error = multi->results[i].err;
      // Those behind the one that was refused are told so by the latter code.
      if (error != code || error == ZOK || error == ZRUNTIMEINCONSISTENCY) continue;
      result.refused = i;
      what = multi->paths[i];
      break;
    }
    result.status = Failure(code, what);
  }
  multi->done(code, std::move(result));
}

int SendMulti(zhandle_t* handle, const std::string& chroot, const std::vector<Op>& ops,
              Done<MultiResult> done) {
  auto multi = std::make_unique<Multi>();
  multi->done = std::move(done);
  multi->ops.resize(ops.size());
  multi->results.resize(ops.size());
  std::vector<std::string> full;
  full.reserve(ops.size());
  for (size_t i = 0; i < ops.size(); ++i) {
    const Op& op = ops[i];
    multi->paths.push_back(op.path);
    const char* path = full.emplace_back(chroot + op.path).c_str();
    const int size = static_cast<int>(op.data.size());
    switch (op.kind) {
      case Op::Kind::kCreate:
        zoo_create_op_init(&multi->ops[i], path, op.data.data(), size, &ZOO_OPEN_ACL_UNSAFE, 0,
                           nullptr, 0);
        break;
      case Op::Kind::kSet:
        zoo_set_op_init(&multi->ops[i], path, op.data.data(), size, op.version, nullptr);
        break;
      case Op::Kind::kDelete:
        zoo_delete_op_init(&multi->ops[i], path, op.version);
        break;
      case Op::Kind::kCheck:
        zoo_check_op_init(&multi->ops[i], path, op.version);
        break;
    }
  }
  // Paths and data are copied by this call.
  const int code = zoo_amulti(handle, static_cast<int>(ops.size()), multi->ops.data(),
                              multi->results.data(), OnMulti, multi.get());
  if (code == ZOK) (void)multi.release();
  return code;
}

}  // namespace

Op CreateOp(std::string path, std::string data) {
  return {Op::Kind::kCreate, std::move(path), std::move(data), -1};
}
Op SetOp(std::string path, std::string data, int32_t version) {
  return {Op::Kind::kSet, std::move(path), std::move(data), version};
}
Op DeleteOp(std::string path, int32_t version) {
  return {Op::Kind::kDelete, std::move(path), "", version};
}
Op CheckOp(std::string path, int32_t version) {
  return {Op::Kind::kCheck, std::move(path), "", version};
}

Session::Session(Address address, Options options)
    : address_(std::move(address)),
      options_(std::move(options)),
      timeout_ms_(options_.timeout_ms),
      disconnected_since_(BootTimeNow()) {}

absl::StatusOr<std::unique_ptr<Session>> Session::Open(const Address& address, Options options) {
  SetClientLogLevel();
  std::unique_ptr<Session> session(new Session(address, std::move(options)));
  session->handle_ = zookeeper_init2(absl::StrJoin(address.servers, ",").c_str(), OnEvent,
                                     static_cast<int>(session->options_.timeout_ms), nullptr,
                                     session.get(), ZOO_NO_LOG_CLIENTENV, LogOfClient);
  if (session->handle_ == nullptr) {
    return absl::UnavailableError(absl::StrCat(address.ToString(),
                                               ": no server can be made out of it (",
                                               std::strerror(errno), "); are the names right?"));
  }
  session->monitor_ = std::thread([session = session.get()] { session->Monitor(); });
  return session;
}

absl::StatusOr<std::unique_ptr<Session>> Session::Connect(const Address& address, Options options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Session> session, Open(address, std::move(options)));
  RETURN_IF_ERROR(session->AwaitConnected());
  return session;
}

Session::~Session() {
  {
    MutexLock lock(&mutex_);
    closing_ = true;
    if (state_.ok()) state_ = absl::CancelledError("the session is being closed");
    changed_.SignalAll();
  }
  if (monitor_.joinable()) monitor_.join();
  if (handle_ != nullptr) zookeeper_close(handle_);
}

void Session::OnEvent(_zhandle* handle, int type, int state, const char*, void* session) {
  auto* self = static_cast<Session*>(session);
  MutexLock lock(&self->mutex_);
  if (type == ZOO_SESSION_EVENT) self->Connection(handle, state);
  ++self->news_;
  self->changed_.SignalAll();
}

void Session::Connection(_zhandle* handle, int state) {
  if (state == ZOO_EXPIRED_SESSION_STATE) return Lose("the session with ZooKeeper has expired");
  if (state == ZOO_AUTH_FAILED_STATE) return Lose("ZooKeeper does not let us in");
  const bool connected = state == ZOO_CONNECTED_STATE;
  if (connected == connected_) return;
  connected_ = connected;
  if (!connected) disconnected_since_ = BootTimeNow();
  if (connected) {
    VLOG(1) << "connected to ZooKeeper at " << address_.ToString();
    if (const int64_t agreed_ms = zoo_recv_timeout(handle); agreed_ms != timeout_ms_) {
      LOG(WARNING) << "ZooKeeper keeps sessions for " << agreed_ms << " ms, not the " << timeout_ms_
                   << " ms asked for (minSessionTimeout, maxSessionTimeout of its servers)";
      timeout_ms_ = agreed_ms;
    }
  } else if (!closing_) {
    LOG(WARNING) << "the connection to ZooKeeper was lost";
  }
}

void Session::Lose(absl::string_view why) {
  connected_ = false;
  if (!state_.ok()) return;
  state_ = absl::UnavailableError(why);
  to_tell_ = true;
  ++news_;
  changed_.SignalAll();
}

void Session::Monitor() {
  MutexLock lock(&mutex_);
  Time last = BootTimeNow();
  while (!closing_) {
    if (std::exchange(to_tell_, false) && options_.lost) {
      const absl::Status why = state_;
      mutex_.Unlock();
      options_.lost(why);
      mutex_.Lock();
      continue;
    }
    changed_.WaitFor(&mutex_, std::max<int64_t>(timeout_ms_ / 10, 10));
    const Time now = BootTimeNow();
    if (now - last > timeout_ms_) {
      Lose(absl::StrCat("this process stood still for ", now - last,
                        " ms, longer than the ZooKeeper session of ", timeout_ms_, " ms lives"));
    } else if (!connected_ && now - disconnected_since_ >= timeout_ms_) {
      Lose(absl::StrCat("no server of ", address_.ToString(), " could be reached for ",
                        now - disconnected_since_,
                        " ms, as long as a session lives; does the "
                        "ensemble run, with a majority of its servers?"));
    }
    last = now;
  }
}

int64_t Session::timeout_ms() const {
  MutexLock lock(&mutex_);
  return timeout_ms_;
}

uint64_t Session::news() const {
  MutexLock lock(&mutex_);
  return news_;
}

void Session::AwaitNews(uint64_t seen) const {
  MutexLock lock(&mutex_);
  while (news_ == seen && state_.ok()) changed_.Wait(&mutex_);
}

void Session::Poke() {
  MutexLock lock(&mutex_);
  ++news_;
  changed_.SignalAll();
}

absl::Status Session::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

absl::Status Session::AwaitConnected() const {
  MutexLock lock(&mutex_);
  while (!connected_ && state_.ok()) changed_.Wait(&mutex_);
  return state_;
}

void Session::Abandon() {
  MutexLock lock(&mutex_);
  if (state_.ok()) state_ = absl::CancelledError("the session is not wanted any more");
  changed_.SignalAll();
}

template <typename T, typename Send>
absl::StatusOr<T> Session::Ask(absl::string_view what, const Send& send) {
  auto answer = std::make_shared<std::optional<std::pair<int, T>>>();
  auto* done = new Done<T>([this, answer](int code, T value) {
    MutexLock lock(&mutex_);
    answer->emplace(code, std::move(value));
    changed_.SignalAll();
  });
  if (const int code = send(done); code != ZOK) {
    delete done;
    RETURN_IF_ERROR(state());
    return Failure(code, what);
  }
  MutexLock lock(&mutex_);
  while (!answer->has_value() && state_.ok()) changed_.Wait(&mutex_);
  if (!answer->has_value()) return state_;
  if ((*answer)->first != ZOK) return Failure((*answer)->first, what);
  return std::move((*answer)->second);
}

namespace {
const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}
}  // namespace

template <typename Attempt>
auto Session::Repeat(const Attempt& attempt) -> decltype(attempt()) {
  while (true) {
    auto result = attempt();
    if (!absl::IsUnavailable(StatusOf(result))) return result;
    RETURN_IF_ERROR(AwaitConnected());
  }
}

absl::Status Session::Sync() {
  return Repeat([this] {
    // Of the chroot's parent of all, which is there before the chroot is.
    return Ask<std::string>(
               "sync",
               [this](Done<std::string>* done) { return zoo_async(handle_, "/", OnName, done); })
        .status();
  });
}

absl::StatusOr<Node> Session::Get(const std::string& path) {
  const std::string full = Full(path);
  return Repeat([&] {
    return Ask<Node>(path, [&](Done<Node>* done) {
      return zoo_aget(handle_, full.c_str(), /*watch=*/0, OnData, done);
    });
  });
}

absl::StatusOr<std::vector<std::optional<Node>>> Session::GetAll(
    const std::vector<std::string>& paths) {
  return Repeat([&] { return TryGetAll(paths); });
}

absl::StatusOr<std::vector<std::optional<Node>>> Session::TryGetAll(
    const std::vector<std::string>& paths) {
  struct Flight {
    std::vector<std::optional<Node>> nodes;
    size_t landed = 0;
    absl::Status status;
  };
  auto flight = std::make_shared<Flight>();
  flight->nodes.resize(paths.size());
  size_t sent = 0;
  for (; sent < paths.size(); ++sent) {
    {
      MutexLock lock(&mutex_);
      while (sent - flight->landed >= kGetsInFlight && state_.ok()) changed_.Wait(&mutex_);
      RETURN_IF_ERROR(state_);
      if (!flight->status.ok()) break;
    }
    auto* done = new Done<Node>([this, flight, i = sent, path = paths[sent]](int code, Node node) {
      MutexLock lock(&mutex_);
      if (code == ZOK) flight->nodes[i] = std::move(node);
      if (code != ZNONODE && flight->status.ok()) flight->status = Failure(code, path);
      ++flight->landed;
      changed_.SignalAll();
    });
    if (const int code = zoo_aget(handle_, Full(paths[sent]).c_str(), 0, OnData, done);
        code != ZOK) {
      delete done;
      return Failure(code, paths[sent]);
    }
  }
  MutexLock lock(&mutex_);
  while (flight->landed < sent && state_.ok()) changed_.Wait(&mutex_);
  RETURN_IF_ERROR(state_);
  RETURN_IF_ERROR(flight->status);
  return std::move(flight->nodes);
}

absl::StatusOr<std::vector<std::string>> Session::Children(const std::string& path, bool watch) {
  const std::string full = Full(path);
  auto names = Repeat([&] {
    return Ask<std::vector<std::string>>(path, [&](Done<std::vector<std::string>>* done) {
      return zoo_aget_children(handle_, full.c_str(), watch ? 1 : 0, OnNames, done);
    });
  });
  if (names.ok()) std::sort(names->begin(), names->end());
  return names;
}

absl::StatusOr<std::optional<Node>> Session::Exists(const std::string& path, bool watch) {
  const std::string full = Full(path);
  absl::StatusOr<Node> node = Repeat([&] {
    return Ask<Node>(path, [&](Done<Node>* done) {
      return zoo_aexists(handle_, full.c_str(), watch ? 1 : 0, OnStat, done);
    });
  });
  if (absl::IsNotFound(node.status())) return std::optional<Node>();
  if (!node.ok()) return node.status();
  return std::optional<Node>(*std::move(node));
}

absl::Status Session::CreateFull(const std::string& full_path, const std::string& data) {
  return Ask<std::string>(absl::StrCat("create ", full_path),
                          [&](Done<std::string>* done) {
                            return zoo_acreate(handle_, full_path.c_str(), data.data(),
                                               static_cast<int>(data.size()), &ZOO_OPEN_ACL_UNSAFE,
                                               0, OnName, done);
                          })
      .status();
}

absl::Status Session::Create(const std::string& path, const std::string& data) {
  return CreateFull(Full(path), data);
}

absl::StatusOr<std::string> Session::CreateEphemeralSequential(const std::string& prefix,
                                                               const std::string& data) {
  const std::string full = Full(prefix);
  ASSIGN_OR_RETURN(const std::string path,
                   Ask<std::string>(absl::StrCat("create ", prefix), [&](Done<std::string>* done) {
                     return zoo_acreate(handle_, full.c_str(), data.data(),
                                        static_cast<int>(data.size()), &ZOO_OPEN_ACL_UNSAFE,
                                        ZOO_EPHEMERAL_SEQUENTIAL, OnName, done);
                   }));
  return path.substr(path.rfind('/') + 1);
}

absl::Status Session::Delete(const std::string& path, int32_t version) {
  const std::string full = Full(path);
  return Ask<Nothing>(absl::StrCat("delete ", path),
                      [&](Done<Nothing>* done) {
                        return zoo_adelete(handle_, full.c_str(), version, OnVoid, done);
                      })
      .status();
}

MultiResult Session::Multi(const std::vector<Op>& ops) { return MultiAll({ops}); }

MultiResult Session::MultiAll(const std::vector<std::vector<Op>>& multis) {
  struct Flight {
    size_t landed = 0;
    MultiResult first;  // Answers come in the order of sending.
  };
  auto flight = std::make_shared<Flight>();
  size_t sent = 0;
  for (; sent < multis.size(); ++sent) {
    {
      MutexLock lock(&mutex_);
      while (sent - flight->landed >= kMultisInFlight && state_.ok()) changed_.Wait(&mutex_);
      if (!state_.ok()) return {state_, std::nullopt};
      if (!flight->first.status.ok()) break;
    }
    const int code =
        SendMulti(handle_, address_.chroot, multis[sent], [this, flight](int, MultiResult result) {
          MutexLock lock(&mutex_);
          ++flight->landed;
          if (flight->first.status.ok()) flight->first = std::move(result);
          changed_.SignalAll();
        });
    if (code != ZOK) return {Failure(code, "multi"), std::nullopt};
  }
  MutexLock lock(&mutex_);
  while (flight->landed < sent && state_.ok()) changed_.Wait(&mutex_);
  if (flight->landed < sent) return {state_, std::nullopt};
  return flight->first;
}

absl::Status Session::MakePath(const std::string& path) {
  std::string full;
  for (absl::string_view part : absl::StrSplit(Full(path).substr(1), '/')) {
    absl::StrAppend(&full, "/", part);
    const absl::Status made = Repeat([&] { return CreateFull(full, ""); });
    if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  }
  return absl::OkStatus();
}

}  // namespace proffer::zk
