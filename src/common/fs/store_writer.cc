#include "common/fs/store_writer.h"

#include <glog/logging.h>

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/end_process.h"

namespace proffer {

StoreWriter::StoreWriter(Store* store, std::function<void(uint64_t)> on_durable)
    : store_(store), on_durable_(std::move(on_durable)), thread_([this] { Run(); }) {}

StoreWriter::~StoreWriter() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    not_empty_.SignalAll();
  }
  thread_.join();
}

void StoreWriter::Append(uint64_t seq, std::vector<Mutation> mutations) {
  MutexLock lock(&mutex_);
  std::move(mutations.begin(), mutations.end(), std::back_inserter(queue_));
  last_seq_ = seq;
  not_empty_.SignalOne();
}

void StoreWriter::Run() {
  while (true) {
    std::vector<Mutation> batch;
    uint64_t seq = 0;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) not_empty_.Wait(&mutex_);
      if (queue_.empty()) return;
      batch.swap(queue_);
      seq = last_seq_;
    }
    const absl::Status written = store_->Write(batch);
    // Neither is a fault of ours: there is a new leader, or the store is out of reach.
    if (absl::IsAborted(written) || absl::IsUnavailable(written)) {
      EndProcess(absl::StrCat("a record could not be made durable: ", written.message()));
    }
    if (!written.ok()) {
      LOG(FATAL) << "a record could not be made durable: " << written
                 << "; ending the process, restart recovers from what is stored";
    }
    on_durable_(seq);
  }
}

}  // namespace proffer
