#include "agent/data_link.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/log_reader.h"
#include "common/base/limits.h"
#include "common/rpc/channel.h"

namespace proffer::agent {
namespace {

// How often files that are followed are looked at again.
constexpr int64_t kFollowMs = 20;

model::TaskKey KeyOf(const v1::ReadLog& request) {
  return {model::FrameworkId(request.framework_id()), model::TaskId(request.task_id())};
}

}  // namespace

DataLink::DataLink(Sandboxes* sandboxes, std::function<bool(const model::TaskKey&)> is_live,
                   std::function<v1::AgentUsage()> usage)
    : sandboxes_(sandboxes),
      is_live_(std::move(is_live)),
      usage_(std::move(usage)),
      thread_([this] { Run(); }) {}

DataLink::~DataLink() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.SignalAll();
    if (stream_ != nullptr) stream_->Cancel();
    while (open_ > 0) wake_.Wait(&mutex_);
  }
  thread_.join();
}

void DataLink::Open(const rpc::Address& master, const model::AgentId& agent, uint64_t epoch) {
  MutexLock lock(&mutex_);
  if (open_ > 0) return;
  stub_ = v1::AgentDataService::NewStub(rpc::MakeChannel(master));
  ++open_;
  // Called before Open returns; a lambda cannot say that it runs under our lock.
  auto* async = stub_->async();
  stream_ = Stream::Open(
      [async](grpc::ClientContext* context, Stream* reactor) { async->Transfer(context, reactor); },
      [this](const v1::DataDown& message) { Heard(message); },
      [this](const grpc::Status&, const std::vector<rpc::Address>&) {
        MutexLock lock(&mutex_);
        --open_;
        lost_ = true;
        stream_.reset();
        wake_.SignalAll();
      });
  v1::DataUp hello;
  hello.mutable_hello()->set_agent_id(agent.value());
  hello.mutable_hello()->set_epoch(epoch);
  stream_->Send(std::move(hello));
}

void DataLink::Heard(const v1::DataDown& message) {
  MutexLock lock(&mutex_);
  inbox_.push_back(message);
  wake_.SignalAll();
}

void DataLink::Send(uint64_t id, int64_t offset, std::string data, bool end, std::string error) {
  v1::DataUp up;
  v1::DataChunk* chunk = up.mutable_chunk();
  chunk->set_transfer_id(id);
  chunk->set_offset(offset);
  chunk->set_data(std::move(data));
  chunk->set_end(end);
  chunk->set_error(std::move(error));
  MutexLock lock(&mutex_);
  if (stream_ != nullptr && !stream_->Send(std::move(up))) stream_->Cancel();
}

bool DataLink::OpenSandbox(Transfer& transfer, std::string* error) {
  const model::TaskKey key = KeyOf(transfer.request);
  const absl::StatusOr<model::AttemptId> attempt = sandboxes_->NewestAttempt(key);
  absl::Status status = attempt.status();
  if (attempt.ok()) {
    const absl::StatusOr<int> opened = sandboxes_->OpenFd(key, *attempt);
    status = opened.status();
    if (opened.ok()) {
      transfer.sandbox = *opened;
      return true;
    }
  }
  // A follower of a task that is about to start waits for it.
  if (!transfer.request.follow() || !is_live_(key)) {
    *error = absl::StrCat("no output of task ", key.task.value(), " is kept: ", status.message());
  }
  return false;
}

bool DataLink::Advance(uint64_t id, Transfer& transfer, bool* moved) {
  if (transfer.sandbox < 0) {
    std::string error;
    if (!OpenSandbox(transfer, &error)) {
      if (error.empty()) return true;
      Send(id, 0, "", true, std::move(error));
      return false;
    }
  }
  // Asked before the read: what an ended task has written is then all there.
  const bool live = is_live_(KeyOf(transfer.request));
  if (transfer.credit <= 0) return true;
  const size_t most = std::min<size_t>(transfer.credit, limits::kChunkBytes);
  absl::StatusOr<LogPiece> piece =
      ReadLog(transfer.sandbox, transfer.request.stream() == v1::STDERR ? "stderr" : "stdout",
              transfer.offset, most);
  if (!piece.ok() && !(live && absl::IsNotFound(piece.status()))) {
    Send(id, 0, "", true, std::string(piece.status().message()));
    return false;
  }
  if (piece.ok() && !piece->data.empty()) {
    transfer.offset = piece->offset + static_cast<int64_t>(piece->data.size());
    transfer.credit -= static_cast<int64_t>(piece->data.size());
    *moved = true;
    Send(id, piece->offset, std::move(piece->data), false, "");
    return true;
  }
  if (piece.ok() && transfer.offset < 0) transfer.offset = piece->offset;
  if (transfer.request.follow() && live) return true;
  Send(id, transfer.offset, "", true, "");
  return false;
}

void DataLink::SendUsage(uint64_t id) {
  // Small against a reader's window, which is therefore not asked for.
  const std::string report = usage_().SerializeAsString();
  for (size_t at = 0; at < report.size(); at += limits::kChunkBytes) {
    Send(id, static_cast<int64_t>(at), report.substr(at, limits::kChunkBytes), false, "");
  }
  Send(id, static_cast<int64_t>(report.size()), "", true, "");
}

void DataLink::Run() {
  bool moved = false;
  while (true) {
    std::vector<v1::DataDown> inbox;
    bool lost = false;
    {
      MutexLock lock(&mutex_);
      if (inbox_.empty() && !stopping_ && !lost_ && !moved) {
        if (transfers_.empty()) {
          wake_.Wait(&mutex_);
        } else {
          wake_.WaitFor(&mutex_, kFollowMs);
        }
      }
      if (stopping_) break;
      inbox.swap(inbox_);
      lost = std::exchange(lost_, false);
    }
    if (lost) {
      for (auto& [id, transfer] : transfers_) {
        if (transfer.sandbox >= 0) close(transfer.sandbox);
      }
      transfers_.clear();
    }
    for (const v1::DataDown& message : inbox) {
      if (message.has_read_log()) {
        Transfer& transfer = transfers_[message.read_log().transfer_id()];
        transfer.request = message.read_log();
        transfer.offset = message.read_log().offset();
        transfer.credit = message.read_log().credit();
      } else if (message.has_read_usage()) {
        SendUsage(message.read_usage().transfer_id());
      } else if (message.has_credit()) {
        auto it = transfers_.find(message.credit().transfer_id());
        if (it != transfers_.end()) it->second.credit += message.credit().bytes();
      } else if (message.has_cancel()) {
        auto it = transfers_.find(message.cancel().transfer_id());
        if (it != transfers_.end()) {
          if (it->second.sandbox >= 0) close(it->second.sandbox);
          transfers_.erase(it);
        }
      }
    }
    moved = false;
    for (auto it = transfers_.begin(); it != transfers_.end();) {
      if (Advance(it->first, it->second, &moved)) {
        ++it;
        continue;
      }
      if (it->second.sandbox >= 0) close(it->second.sandbox);
      it = transfers_.erase(it);
    }
  }
  for (auto& [id, transfer] : transfers_) {
    if (transfer.sandbox >= 0) close(transfer.sandbox);
  }
}

}  // namespace proffer::agent
