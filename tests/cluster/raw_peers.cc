// Implementation of raw_peers.h.
#include "cluster/raw_peers.h"

#include <google/protobuf/text_format.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/clock.h"
#include "common/convert/task.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"

namespace proffer::testing {
namespace {

// What a test waits for at the most.
constexpr int64_t kPatienceMs = 60'000;

std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
  return rpc::MakeChannel({address, true});
}

}  // namespace

template <typename M>
M FromText(const std::string& text) {
  M message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}
template v1::SchedulerCall FromText(const std::string& text);
template v1::AgentMessage FromText(const std::string& text);

RawScheduler::RawScheduler(const std::string& address)
    : stub_(v1::SchedulerService::NewStub(Dial(address))) {
  context_.set_wait_for_ready(true);
  context_.set_deadline(rpc::DeadlineIn(kPatienceMs));
  stream_ = stub_->Connect(&context_);
}

RawScheduler::~RawScheduler() { context_.TryCancel(); }

bool RawScheduler::ReadOne() {
  v1::SchedulerEvent event;
  if (ended_ || !stream_->Read(&event)) {
    ended_ = true;
    return false;
  }
  if (event.has_subscribed()) id_ = event.subscribed().framework_id();
  for (const v1::Offer& offer : event.offers().offers()) offers_.push_back(offer.id());
  for (const v1::EpochId& gone : event.rescinded().offer_ids()) Forget(gone);
  if (event.has_result()) results_.push_back(event.result());
  if (event.has_error()) error_ = event.error();
  if (event.has_heartbeat()) Send(FromText<v1::SchedulerCall>("heartbeat {}"));
  if (event.has_update()) {
    statuses_.push_back(event.update());
    if (event.update().sequence() != 0) {
      v1::SchedulerCall call;
      v1::Acknowledge* ack = call.mutable_acknowledge();
      ack->set_task_id(event.update().task_id());
      ack->set_agent_id(event.update().agent_id());
      *ack->mutable_attempt() = event.update().attempt();
      ack->set_sequence(event.update().sequence());
      Send(call);
    }
  }
  return true;
}

void RawScheduler::Forget(const v1::EpochId& offer) {
  const auto same = [&offer](const v1::EpochId& id) {
    return id.epoch() == offer.epoch() && id.n() == offer.n();
  };
  offers_.erase(std::remove_if(offers_.begin(), offers_.end(), same), offers_.end());
}

void RawScheduler::ReadUntil(const std::function<bool()>& done) {
  while (!done()) {
    if (!ReadOne()) {
      FAIL() << "the stream ended before what was waited for: " << error_.ShortDebugString();
    }
  }
}

void RawScheduler::Subscribe(const std::string& name, const std::string& id) {
  v1::SchedulerCall call = FromText<v1::SchedulerCall>("subscribe{framework{roles:'web'}}");
  call.set_call_id(++last_call_);
  v1::Subscribe* subscribe = call.mutable_subscribe();
  convert::ToProto(model::ThisVersion(), subscribe->mutable_version());
  subscribe->mutable_framework()->set_name(name);
  subscribe->mutable_framework()->set_framework_id(id);
  Send(call);
  ReadUntil([this] { return !id_.empty(); });
}

uint64_t RawScheduler::Call(std::string text) {
  if (text.find("{OFFER}") != std::string::npos) {
    const v1::EpochId offer = AwaitOffer();
    used_[last_call_ + 1] = offer;
    text = absl::StrReplaceAll(
        text, {{"{OFFER}", absl::StrCat("{epoch:", offer.epoch(), " n:", offer.n(), "}")}});
  }
  auto call = FromText<v1::SchedulerCall>(text);
  call.set_call_id(++last_call_);
  Send(call);
  return last_call_;
}

v1::CallResult RawScheduler::Answer(uint64_t call_id) {
  v1::CallResult found;
  ReadUntil([this, call_id, &found] {
    for (const v1::CallResult& result : results_) {
      if (result.call_id() == call_id) found = result;
    }
    return found.call_id() == call_id;
  });
  const bool kept = found.items_size() == 1 && found.items(0).id().empty() &&
                    found.items(0).refusal() == v1::INVALID;
  if (used_.count(call_id) > 0 && !kept) Forget(used_[call_id]);
  return found;
}

v1::TaskStatus RawScheduler::End(const std::string& task_id) {
  v1::TaskStatus found;
  ReadUntil([this, &task_id, &found] {
    for (const v1::TaskStatus& status : statuses_) {
      if (status.task_id() == task_id) found = status;
    }
    return model::IsTerminal(convert::FromProto(found.state()));
  });
  return found;
}

v1::EpochId RawScheduler::AwaitOffer() {
  ReadUntil([this] { return !offers_.empty(); });
  return offers_.empty() ? v1::EpochId() : offers_.back();
}

v1::StreamError RawScheduler::AwaitError() {
  while (ReadOne()) {
  }
  return error_;
}

grpc::Status RawScheduler::Finish() {
  while (ReadOne()) {
  }
  return stream_->Finish();
}

void RawScheduler::TearDown() {
  Call("teardown{}");
  EXPECT_TRUE(Finish().ok());
}

RawAgent::RawAgent(const std::string& address) : stub_(v1::AgentService::NewStub(Dial(address))) {
  context_.set_wait_for_ready(true);
  context_.set_deadline(rpc::DeadlineIn(kPatienceMs));
  stream_ = stub_->Connect(&context_);
}

v1::AgentOrder RawAgent::Await(v1::AgentOrder::OrderCase arm) {
  v1::AgentOrder order;
  while (stream_->Read(&order)) {
    if (order.order_case() == arm) return order;
  }
  ADD_FAILURE() << "the stream ended before the order that was waited for; its last was "
                << order.ShortDebugString();
  return {};
}

grpc::Status SendBytesAsCall(const std::string& address, const std::string& bytes) {
  grpc::GenericStub stub(Dial(address));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(rpc::DeadlineIn(kPatienceMs));
  grpc::CompletionQueue queue;
  const auto stream = stub.PrepareCall(&context, "/proffer.v1.SchedulerService/Connect", &queue);
  const auto await = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return ok;
  };
  stream->StartCall(nullptr);
  EXPECT_TRUE(await());
  grpc::Slice slice(bytes);
  stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  await();
  grpc::Status status;
  stream->Finish(&status, nullptr);
  await();
  queue.Shutdown();
  return status;
}

void SendToSocket(const std::string& path, const std::string& bytes) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  // The other side may hang up in the middle of it.
  static_cast<void>(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  close(fd);
}

}  // namespace proffer::testing
