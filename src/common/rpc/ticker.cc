#include "common/rpc/ticker.h"

#include <utility>

#include "common/base/mutex.h"
#include "common/rpc/deadline.h"
#include "grpcpp/alarm.h"

namespace proffer::rpc {

struct Ticker::Inside {
  const int64_t period_ms;
  const std::function<bool()> look;
  Mutex mutex;
  // A new one each time: an alarm that is set again while it calls back destroys what it calls.
  std::unique_ptr<grpc::Alarm> alarm GUARDED_BY_MUTEX(mutex);
  bool over GUARDED_BY_MUTEX(mutex) = false;

  static void Arm(const std::shared_ptr<Inside>& inside) {
    MutexLock lock(&inside->mutex);
    if (inside->over) return;
    inside->alarm = std::make_unique<grpc::Alarm>();
    inside->alarm->Set(DeadlineIn(inside->period_ms),
                       [weak = std::weak_ptr<Inside>(inside)](bool fired) {
                         const std::shared_ptr<Inside> alive = weak.lock();
                         if (alive != nullptr && fired && alive->look()) Arm(alive);
                       });
  }
};

Ticker::~Ticker() {
  if (inside_ == nullptr) return;
  std::unique_ptr<grpc::Alarm> last;
  MutexLock lock(&inside_->mutex);
  inside_->over = true;
  last = std::move(inside_->alarm);
}

void Ticker::Start(int64_t period_ms, std::function<bool()> look) {
  inside_ = std::shared_ptr<Inside>(new Inside{period_ms, std::move(look)});
  Inside::Arm(inside_);
}

}  // namespace proffer::rpc
