// A scheduler that sees offers: runs N tasks and exits when all are done. offers [N] [MASTER]
#include <iostream>
#include <set>
#include <string>

#include "proffer/scheduler.h"
#include "proffer/units.h"

using namespace proffer::literals;

class ManyTasks : public proffer::Scheduler {
 public:
  explicit ManyTasks(int count) {
    for (int i = 1; i <= count; ++i) todo_.insert("task-" + std::to_string(i));
  }

  void OnConnected(const proffer::Connected&) override { SayWhatIsWanted(); }

  void OnOffers(proffer::Offers offers) override {
    for (proffer::Offer& offer : offers) {
      while (!todo_.empty() && offer.Launch(Wanted(*todo_.begin())).ok()) {
        running_.insert(todo_.extract(todo_.begin()));
      }
    }  // What is left of each offer is declined here.
    SayWhatIsWanted();
  }

  void OnStatus(const proffer::TaskStatus& status) override {
    std::cout << status.task_id << " " << status.state << " " << status.message << std::endl;
    if (!status.final || running_.erase(status.task_id) == 0) return;
    if (status.state == proffer::TaskState::kDropped) {
      todo_.insert(status.task_id);  // It never started.
    } else if (status.state != proffer::TaskState::kFinished) {
      ++failed;
    }
    if (todo_.empty() && running_.empty()) return driver().Teardown();
    SayWhatIsWanted();
  }

  int failed = 0;

 private:
  static proffer::Task Wanted(const std::string& id) {
    return proffer::Task{id}.Command("echo $PROFFER_TASK_ID").Cpus(0.5).Mem(32_MiB);
  }
  void SayWhatIsWanted() {
    const int64_t count = static_cast<int64_t>(todo_.size());
    driver().SetDemand({{.shape = Wanted("any").amounts(), .count = count, .label = "example"}});
  }

  std::set<std::string> todo_, running_;
};

int main(int argc, char** argv) {
  ManyTasks tasks(argc > 1 ? std::stoi(argv[1]) : 10);
  const char* master = argc > 2 ? argv[2] : "";
  auto driver = proffer::SchedulerDriver::Start({.name = "offers", .master = master}, &tasks);
  if (!driver.ok()) return std::cerr << driver.status().message() << "\n", 2;
  return (*driver)->Wait().ok() && tasks.failed == 0 ? 0 : 1;
}
