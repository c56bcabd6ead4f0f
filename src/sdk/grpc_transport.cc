// Carries calls and events over a bidirectional stream.
#include "sdk/grpc_transport.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/clock.h"
#include "common/convert/scheduler.h"
#include "common/rpc/channel.h"

namespace proffer::sdk {
namespace {

// Why a stream ended, for people: without gRPC's preamble.
std::string Reason(const std::string& target, const grpc::Status& status) {
  if (status.ok()) return absl::StrCat(target, ": the master closed the stream");
  const std::string text = status.error_message();
  absl::string_view reason = text;
  if (const size_t last = reason.rfind("last error: "); last != absl::string_view::npos) {
    reason.remove_prefix(last + 12);
    absl::ConsumePrefix(&reason, "UNKNOWN: ");
  }
  if (absl::ConsumePrefix(&reason, target)) absl::ConsumePrefix(&reason, ": ");
  return absl::StrCat(target, ": ", reason);
}

}  // namespace

GrpcTransport::GrpcTransport(std::shared_ptr<LeaderFinder> leader) : leader_(std::move(leader)) {}

GrpcTransport::~GrpcTransport() {
  leader_->OnFound(nullptr);
  Stream::Pointer stream;
  {
    MutexLock lock(&mutex_);
    stream = stream_;
  }
  if (stream != nullptr) stream->Cancel();
  MutexLock lock(&mutex_);
  while (open_ > 0) none_open_.Wait(&mutex_);
}

void GrpcTransport::Begin(Report report) {
  report_ = std::move(report);
  leader_->OnFound([this](const std::vector<rpc::Address>& addresses) { Found(addresses); });
}

void GrpcTransport::Found(const std::vector<rpc::Address>& leader) {
  Stream::Pointer stream;
  {
    MutexLock lock(&mutex_);
    // One that led before may be frozen, or not know yet that it leads no more.
    if (std::find(leader.begin(), leader.end(), master_) == leader.end()) stream = stream_;
  }
  if (stream != nullptr) stream->Cancel();
  report_(LeaderFound());
}

void GrpcTransport::Open(uint64_t number, int64_t greeting_ms) {
  const std::optional<rpc::Address> master = leader_->Current();
  if (!master) {
    report_(StreamDown{0, "no master is known to lead"});
    return;
  }
  std::shared_ptr<v1::SchedulerService::Stub> stub =
      v1::SchedulerService::NewStub(rpc::MakeChannel(*master, greeting_ms));
  {
    MutexLock lock(&mutex_);
    number_ = number;
    master_ = *master;
    heard_ = false;
    ++open_;
  }
  // Before the stream begins, so that its end cannot overtake this. Send and Close come from this
  // very thread, later.
  report_(StreamUp{number});
  Stream::Pointer stream = Stream::Open(
      [&](grpc::ClientContext* context, Stream* reactor) {
        stub->async()->Connect(context, reactor);
      },
      [this, number](const v1::SchedulerEvent& event) { Heard(number, event); },
      // The channel lives as long as the stream.
      [this, number, stub](const grpc::Status& status, std::vector<rpc::Address> leader) {
        Ended(number, status, std::move(leader));
      });
  {
    MutexLock lock(&mutex_);
    if (number_ == number) stream_ = stream;
  }
}

bool GrpcTransport::Send(uint64_t number, const model::SchedulerCall& call) {
  v1::SchedulerCall message;
  convert::ToProto(call, &message);
  MutexLock lock(&mutex_);
  if (number != number_) return true;  // Its end is reported, or was asked for.
  return stream_ != nullptr && stream_->Send(std::move(message));
}

void GrpcTransport::Close(uint64_t number) {
  Stream::Pointer stream;
  {
    MutexLock lock(&mutex_);
    if (number != number_) return;
    number_ = 0;
    if (!heard_) leader_->Failed(master_);
    stream = std::exchange(stream_, nullptr);
  }
  if (stream != nullptr) stream->Cancel();
}

void GrpcTransport::Heard(uint64_t number, const v1::SchedulerEvent& event) {
  const Time received = BootTimeNow();
  {
    MutexLock lock(&mutex_);
    if (number != number_) return;
    heard_ = true;
  }
  absl::StatusOr<model::SchedulerEvent> converted = convert::FromProto(event);
  // One that cannot be understood is treated like one of a kind that is not known.
  report_(EventReceived{number, received,
                        converted.ok() ? *std::move(converted) : model::SchedulerEvent()});
}

void GrpcTransport::Ended(uint64_t number, const grpc::Status& status,
                          std::vector<rpc::Address> leader) {
  std::string reason;
  const bool redirected = !leader.empty();
  {
    MutexLock lock(&mutex_);
    if (number == number_) {
      reason = Reason(master_.target, status);
      number_ = 0;
      stream_.reset();
      if (!leader.empty()) {
        leader_->Redirected(master_, std::move(leader));
      } else if (!heard_ || status.error_code() == grpc::StatusCode::UNAVAILABLE) {
        leader_->Failed(master_);
      }
    }
  }
  if (!reason.empty()) report_(StreamDown{number, std::move(reason)});
  // Who knows where to go need not wait for long.
  if (redirected) report_(LeaderFound());
  MutexLock lock(&mutex_);
  if (--open_ == 0) none_open_.SignalAll();
}

}  // namespace proffer::sdk
