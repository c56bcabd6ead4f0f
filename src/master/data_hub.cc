#include "master/data_hub.h"

#include <utility>

#include "common/base/limits.h"
#include "common/rpc/grpc_status.h"

namespace proffer::master {
namespace {

// What a transfer may have on its way: enough for a fast link, little enough for the master.
constexpr int64_t kWindowBytes = 1 << 20;

v1::DataDown ReadOrder(uint64_t transfer, v1::DataDown down) {
  if (down.has_read_log()) {
    down.mutable_read_log()->set_transfer_id(transfer);
    down.mutable_read_log()->set_credit(kWindowBytes);
  } else {
    down.mutable_read_usage()->set_transfer_id(transfer);
    down.mutable_read_usage()->set_credit(kWindowBytes);
  }
  return down;
}

}  // namespace

DataHub::DataHub(uint64_t epoch, auth::Principal principal, int64_t patience_ms)
    : epoch_(epoch), principal_(std::move(principal)), patience_ms_(patience_ms) {}

grpc::ServerBidiReactor<v1::DataUp, v1::DataDown>* DataHub::Transfer(
    grpc::CallbackServerContext* context) {
  auto agent_id = std::make_shared<std::string>();
  auto self = std::make_shared<std::weak_ptr<Stream>>();
  Stream::Pointer stream = Stream::Make(
      context,
      [this, agent_id, self](const v1::DataUp& message) { Said(agent_id, *self, message); },
      [this, agent_id, self] {
        const Stream::Pointer stream = self->lock();
        Closed(*agent_id, stream.get());
      },
      patience_ms_);
  *self = stream;
  stream->Begin();
  return stream.get();
}

void DataHub::Said(const std::shared_ptr<std::string>& agent_id, const std::weak_ptr<Stream>& weak,
                   const v1::DataUp& message) {
  const Stream::Pointer stream = weak.lock();
  if (stream == nullptr) return;
  stream->Taken(message.ByteSizeLong());
  if (absl::Status allowed = auth::AuthorizeArm(principal_, message); !allowed.ok()) {
    stream->Close(rpc::ToGrpc(allowed));
    return;
  }
  if (message.has_hello()) {
    if (message.hello().epoch() != epoch_ || !agent_id->empty()) {
      stream->Close(grpc::Status(grpc::StatusCode::FAILED_PRECONDITION,
                                 "hello of another epoch, or a second one"));
      return;
    }
    *agent_id = message.hello().agent_id();
    std::vector<v1::DataDown> orders;
    {
      MutexLock lock(&mutex_);
      connections_[*agent_id] = stream;
      for (auto& [id, reading] : readings_) {
        if (reading->agent_id != *agent_id || reading->sent) continue;
        reading->sent = true;
        orders.push_back(ReadOrder(id, reading->request));
      }
    }
    for (v1::DataDown& order : orders) stream->Send(std::move(order));
    return;
  }
  if (!message.has_chunk()) return;
  std::shared_ptr<Reading> reading;
  {
    MutexLock lock(&mutex_);
    auto it = readings_.find(message.chunk().transfer_id());
    if (it == readings_.end() || it->second->agent_id != *agent_id) return;
    reading = it->second;
    if (message.chunk().end()) readings_.erase(it);
  }
  reading->on_chunk(message.chunk());
}

void DataHub::Closed(const std::string& agent_id, const Stream* stream) {
  std::vector<std::shared_ptr<Reading>> broken;
  {
    MutexLock lock(&mutex_);
    auto it = connections_.find(agent_id);
    // A newer connection may have taken its place.
    if (it == connections_.end() || it->second.get() != stream) return;
    connections_.erase(it);
    for (auto reading = readings_.begin(); reading != readings_.end();) {
      if (reading->second->agent_id == agent_id && reading->second->sent) {
        broken.push_back(reading->second);
        reading = readings_.erase(reading);
      } else {
        ++reading;
      }
    }
  }
  v1::DataChunk end;
  end.set_end(true);
  end.set_error("the agent's data connection broke; try again");
  for (const auto& reading : broken) reading->on_chunk(end);
}

uint64_t DataHub::Read(const std::string& agent_id, v1::DataDown request, OnChunk on_chunk) {
  auto reading = std::make_shared<Reading>();
  reading->agent_id = agent_id;
  reading->request = std::move(request);
  reading->on_chunk = std::move(on_chunk);
  Stream::Pointer stream;
  uint64_t id = 0;
  {
    MutexLock lock(&mutex_);
    if (readings_.size() >= limits::kTransfers) return 0;
    id = ++last_;
    readings_[id] = reading;
    if (auto it = connections_.find(agent_id); it != connections_.end()) {
      stream = it->second;
      reading->sent = true;
    }
  }
  if (stream != nullptr) stream->Send(ReadOrder(id, reading->request));
  return id;
}

void DataHub::GiveCredit(uint64_t transfer, int64_t bytes) {
  Stream::Pointer stream;
  {
    MutexLock lock(&mutex_);
    auto it = readings_.find(transfer);
    if (it == readings_.end()) return;
    if (auto c = connections_.find(it->second->agent_id); c != connections_.end()) {
      stream = c->second;
    }
  }
  if (stream == nullptr) return;
  v1::DataDown down;
  down.mutable_credit()->set_transfer_id(transfer);
  down.mutable_credit()->set_bytes(bytes);
  stream->Send(std::move(down));
}

void DataHub::Cancel(uint64_t transfer) {
  Stream::Pointer stream;
  {
    MutexLock lock(&mutex_);
    auto it = readings_.find(transfer);
    if (it == readings_.end()) return;
    if (auto c = connections_.find(it->second->agent_id);
        c != connections_.end() && it->second->sent) {
      stream = c->second;
    }
    readings_.erase(it);
  }
  if (stream == nullptr) return;
  v1::DataDown down;
  down.mutable_cancel()->set_transfer_id(transfer);
  stream->Send(std::move(down));
}

bool DataHub::IsConnected(const std::string& agent_id) const {
  MutexLock lock(&mutex_);
  return connections_.count(agent_id) > 0;
}

}  // namespace proffer::master
