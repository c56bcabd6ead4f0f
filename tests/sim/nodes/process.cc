#include "sim/nodes/process.h"

#include <algorithm>
#include <utility>

namespace proffer::sim {

Process::Process(World* world, Network* network, std::string name)
    : world_(world), network_(network), name_(std::move(name)), host_(network->Add(name_)) {
  // Machines have been up for different times.
  clock_zero_ = Time{-world_->prng().Between(1'000, 1'000'000'000)};
}

Time Process::Now() const {
  const int64_t since = world_->now().ms - clock_zero_.ms;
  return Time{since + since / 1'000 * drift_ppm_ / 1'000};
}

void Process::RestartClock() { clock_zero_ = Time{world_->now().ms - 1'000}; }

void Process::Start() {
  if (up_ || retired_) return;
  up_ = true;
  ++life_;
  steps_to_live_ = 0;
  mail_.clear();
  world_->Trace(name_, "start");
  OnStart();
}

void Process::Crash(int64_t restart_ms) {
  if (!up_) return;
  up_ = false;
  ++life_;
  mail_.clear();
  steps_to_live_ = 0;
  paused_until_ = Time();
  world_->Trace(name_, "crash");
  OnCrash();
  if (restart_ms >= 0) {
    world_->After(restart_ms, [this, life = life_] {
      if (life == life_) Start();
    });
  }
}

void Process::Retire() {
  Crash(-1);
  retired_ = true;
}

void Process::Pause(int64_t ms) {
  if (!up_) return;
  world_->Trace(name_, "pause");
  OnPause(ms);
  paused_until_ = std::max(paused_until_, world_->now() + ms);
  world_->At(paused_until_, [this, life = life_] {
    if (life == life_ && !paused()) Drain();
  });
}

void Process::Heal() {
  steps_to_live_ = 0;
  if (paused()) {
    paused_until_ = world_->now();
    world_->After(0, [this, life = life_] {
      if (life == life_) Drain();
    });
  }
  Start();
}

void Process::Drain() {
  // A step may pause or end it.
  const uint64_t life = life_;
  while (life == life_ && !mail_.empty() && !paused()) {
    const std::function<void()> what = std::move(mail_.front());
    mail_.pop_front();
    what();
  }
}

void Process::Soon(std::function<void()> what) {
  if (!up_) return;
  if (paused() || !mail_.empty()) {
    mail_.push_back(std::move(what));
    return;
  }
  what();
}

void Process::After(int64_t ms, std::function<void()> what) {
  world_->After(ms, InThisLife(std::move(what)));
}

void Process::Later(int64_t local_ms, std::function<void()> what) {
  // One more, so that rounding never lets a timer come too early by its own clock.
  const int64_t ms = local_ms - local_ms / 1'000 * drift_ppm_ / 1'000;
  After(std::max<int64_t>(ms, 0) + (drift_ppm_ != 0 ? 1 : 0), std::move(what));
}

std::function<void()> Process::InThisLife(std::function<void()> what) {
  return [this, life = life_, what = std::move(what)] {
    if (life == life_) Soon(what);
  };
}

bool Process::DiesHere() {
  if (steps_to_live_ == 0 || --steps_to_live_ > 0) return false;
  Crash();
  return true;
}

}  // namespace proffer::sim
