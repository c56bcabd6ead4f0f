#include "master/watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "grpcpp/server_context.h"
#include "master/view_proto.h"

namespace proffer::master {
namespace {

constexpr size_t kSnapshotChunkBytes = 1 << 20;
constexpr int64_t kBookmarkMs = 10'000;

}  // namespace

Watcher::Watcher(Projection* projection, grpc::CallbackServerContext* context,
                 const v1::WatchRequest& request)
    : projection_(projection), context_(context) {
  for (const int kind : request.kinds()) kinds_.insert(kind);
  {
    MutexLock lock(&mutex_);
    const bool resumes = request.has_after() && request.after().epoch() == projection_->epoch() &&
                         projection_->ChangesAfter(request.after().sequence(), 1).ok();
    if (resumes) {
      position_ = request.after().sequence();
    } else {
      snapshot_ = projection_->Snapshot(kinds_, &snapshot_sequence_);
      in_snapshot_ = true;
      position_ = snapshot_sequence_;
    }
    bookmark_due_ms_ = BootTimeNow().ms + kBookmarkMs;
  }
}

Watcher* Watcher::Begin(Projection* projection, grpc::CallbackServerContext* context,
                        const v1::WatchRequest& request, int64_t patience_ms) {
  const std::shared_ptr<Watcher> watcher(new Watcher(projection, context, request));
  watcher->self_ = watcher;
  // Whoever wakes it may have taken the list of watchers before this one left it.
  watcher->id_ = projection->AddWatcher([weak = std::weak_ptr<Watcher>(watcher)] {
    if (const std::shared_ptr<Watcher> alive = weak.lock()) alive->Wake();
  });
  if (watcher->id_ == 0) {
    MutexLock lock(&watcher->mutex_);
    watcher->End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                              absl::StrCat("as many as ", limits::kWatchers,
                                           " readers watch already, which is the most; end some, "
                                           "or list now and then instead")));
    return watcher.get();
  }
  watcher->ticker_.Start(patience_ms, [weak = std::weak_ptr<Watcher>(watcher)] {
    const std::shared_ptr<Watcher> alive = weak.lock();
    return alive != nullptr && alive->Look();
  });
  watcher->Wake();
  return watcher.get();
}

bool Watcher::Look() {
  MutexLock lock(&mutex_);
  if (done_) return false;
  // Ends a write that is not taken.
  if (progress_.IsStuck(writing_ || ended_)) context_->TryCancel();
  return true;
}

void Watcher::Wake() {
  MutexLock lock(&mutex_);
  WriteNext();
}

void Watcher::OnWriteDone(bool ok) {
  MutexLock lock(&mutex_);
  writing_ = false;
  progress_.Wrote();
  if (!ok) {
    End(grpc::Status::CANCELLED);
    return;
  }
  WriteNext();
}

void Watcher::OnCancel() {
  MutexLock lock(&mutex_);
  if (!writing_) End(grpc::Status::CANCELLED);
}

void Watcher::OnDone() {
  projection_->RemoveWatcher(id_);
  {
    MutexLock lock(&mutex_);
    ended_ = true;
    done_ = true;
  }
  const std::shared_ptr<Watcher> last = std::move(self_);
}

void Watcher::End(const grpc::Status& status) {
  if (ended_) return;
  ended_ = true;
  Finish(status);
}

bool Watcher::Wanted(const v1::Object& object) const {
  return kinds_.empty() || kinds_.count(KindOf(object)) > 0;
}

void Watcher::FillSnapshot() {
  v1::SnapshotChunk* chunk = out_.mutable_snapshot();
  chunk->mutable_revision()->set_epoch(projection_->epoch());
  chunk->mutable_revision()->set_sequence(snapshot_sequence_);
  size_t bytes = 0;
  while (next_object_ < snapshot_.size() && bytes < kSnapshotChunkBytes) {
    bytes += snapshot_[next_object_]->ByteSizeLong();
    *chunk->add_objects() = *snapshot_[next_object_++];
  }
  if (next_object_ < snapshot_.size()) return;
  chunk->set_last(true);
  in_snapshot_ = false;
  snapshot_.clear();
}

bool Watcher::FillChange() {
  while (true) {
    const auto changes = projection_->ChangesAfter(position_, 64);
    if (!changes.ok()) {
      End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                       "the reader is too slow: changes left the ring before they were read; "
                       "watch again from a snapshot"));
      return false;
    }
    if (changes->empty()) break;
    for (const ChangePointer& change : *changes) {
      position_ = change->revision().sequence();
      if (!Wanted(change->object())) continue;
      *out_.mutable_change() = *change;
      return true;
    }
  }
  const int64_t now_ms = BootTimeNow().ms;
  if (now_ms < bookmark_due_ms_) return false;
  bookmark_due_ms_ = now_ms + kBookmarkMs;
  out_.mutable_bookmark()->mutable_revision()->set_epoch(projection_->epoch());
  out_.mutable_bookmark()->mutable_revision()->set_sequence(position_);
  return true;
}

void Watcher::WriteNext() {
  if (writing_ || ended_) return;
  out_.Clear();
  if (in_snapshot_) {
    FillSnapshot();
  } else if (!FillChange()) {
    return;
  }
  writing_ = true;
  StartWrite(&out_);
}

}  // namespace proffer::master
