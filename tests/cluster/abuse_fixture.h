// A master with somebody good beside somebody hostile: what every test of abuse asks of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "proffer/framework.h"
#include "proffer/state_store.h"
#include "proffer/units.h"
#include "support/hostile_connection.h"
#include "support/mini_cluster.h"
#include "support/process_figures.h"

namespace proffer::testing {

// A framework that runs a task now and then, an operator who lists, and one who watches. Each of
// them was there before the hostile one came.
class GoodClients {
 public:
  explicit GoodClients(MiniCluster* cluster)
      : cluster_(cluster),
        operator_(v1::OperatorService::NewStub(Dial())),
        watch_(v1::OperatorService::NewStub(Dial())) {
    auto framework = Framework::Start({.name = "good",
                                       .master = cluster->address(),
                                       .state_store = std::make_shared<MemoryStateStore>()});
    EXPECT_TRUE(framework.ok()) << framework.status();
    framework_ = *std::move(framework);
    watcher_ = std::thread([this] { Watch(); });
  }
  ~GoodClients() {
    context_.TryCancel();
    watcher_.join();
  }

  // A whole task, from submission to its acknowledged end; a list; and the watcher sees that task.
  void ExpectServed() {
    const std::string id = absl::StrCat("good-", ++tasks_);
    const Run run = framework_->Submit(Task{id}.Command("true").Cpus(0.1).Mem(16_MiB));
    const Result* result = run.WaitFor(std::chrono::seconds(20));
    ASSERT_NE(result, nullptr) << "no end of " << id << " within 20 s";
    EXPECT_TRUE(result->ok()) << result->message;
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(10'000));
    v1::ListRequest request;
    request.set_kind(v1::AGENTS);
    v1::ListResponse response;
    const grpc::Status listed = operator_->List(&context, request, &response);
    EXPECT_TRUE(listed.ok()) << listed.error_message();
    EXPECT_EQ(response.objects_size(), 1);
    const Time give_up = BootTimeNow() + 10'000;
    MutexLock lock(&mutex_);
    while (seen_ != id && !watch_ended_ && BootTimeNow() < give_up) changed_.WaitFor(&mutex_, 100);
    EXPECT_FALSE(watch_ended_) << "the watch of a good reader ended";
    EXPECT_EQ(seen_, id) << "the watcher saw no end of it within 10 s";
  }

 private:
  std::shared_ptr<grpc::Channel> Dial() const {
    return rpc::MakeChannel({cluster_->address(), cluster_->address()[0] == 'u'});
  }

  void Watch() {
    context_.set_wait_for_ready(true);
    v1::WatchRequest request;
    request.add_kinds(v1::TASKS);
    const auto reader = watch_->Watch(&context_, request);
    v1::WatchEvent event;
    while (reader->Read(&event)) {
      if (!event.change().removed()) continue;
      MutexLock lock(&mutex_);
      seen_ = event.change().object().task().task_id();
      changed_.SignalAll();
    }
    reader->Finish();
    MutexLock lock(&mutex_);
    watch_ended_ = true;
    changed_.SignalAll();
  }

  MiniCluster* const cluster_;
  std::unique_ptr<v1::OperatorService::Stub> operator_;
  std::unique_ptr<v1::OperatorService::Stub> watch_;
  std::unique_ptr<Framework> framework_;
  int tasks_ = 0;
  grpc::ClientContext context_;
  std::thread watcher_;
  Mutex mutex_;
  CondVar changed_;
  std::string seen_ GUARDED_BY_MUTEX(mutex_);  // The task whose end the watcher saw last.
  bool watch_ended_ GUARDED_BY_MUTEX(mutex_) = false;
};

// One cluster for all tests of a suite, so that what one of them leaves behind the next one meets.
class AbuseFixture : public ::testing::Test {
 protected:
  static void Begin(MiniCluster::Options options) {
    cluster_ = new MiniCluster(std::move(options));
    good_ = new GoodClients(cluster_);
    good_->ExpectServed();
    descriptors_ = OpenDescriptors(master());
    resident_kib_ = ResidentKib(master());
  }
  static void TearDownTestSuite() {
    delete good_;
    delete cluster_;
  }

  // With the hostile ones gone nothing of them is left.
  void TearDown() override {
    good_->ExpectServed();
    ASSERT_EQ(kill(master(), 0), 0) << "the master is no more";
    AwaitDescriptors(descriptors_ + kDescriptorsOfOurs, 20'000);
    AwaitMemoryBelow(kKeptKib, 20'000);
  }

  static pid_t master() { return cluster_->master_pid(); }
  static std::string address() { return cluster_->address(); }

  using Crowd = std::vector<std::unique_ptr<HostileConnection>>;
  static Crowd Connect(int count) {
    Crowd crowd;
    for (int i = 0; i < count; ++i) crowd.push_back(std::make_unique<HostileConnection>(address()));
    return crowd;
  }
  static void ExpectHungUpOn(Crowd* crowd) {
    const Time give_up = BootTimeNow() + 10'000;
    int left = 0;
    for (auto& one : *crowd) left += one->AwaitEnd(give_up - BootTimeNow()) ? 0 : 1;
    EXPECT_EQ(left, 0) << "are still connected";
  }

  // The kernel tells nobody when another process has closed something.
  static void AwaitDescriptors(int most, int64_t timeout_ms) {
    const Time give_up = BootTimeNow() + timeout_ms;
    while (OpenDescriptors(master()) > most && BootTimeNow() < give_up) usleep(10'000);
    EXPECT_LE(OpenDescriptors(master()), most) << "the master keeps descriptors of nobody";
  }
  // Nor that it has given memory back.
  static void AwaitMemoryBelow(double more_kib, int64_t timeout_ms) {
    const Time give_up = BootTimeNow() + timeout_ms;
    while (kMeasuresMemory && ResidentKib(master()) - resident_kib_ > more_kib &&
           BootTimeNow() < give_up) {
      usleep(10'000);
    }
    ExpectMemoryBelow(more_kib);
  }
  static void ExpectMemoryBelow(double more_kib) {
    if (!kMeasuresMemory) return;
    EXPECT_LE(ResidentKib(master()) - resident_kib_, more_kib) << "KiB more than before";
  }

#ifdef __SANITIZE_ADDRESS__
  // It keeps what was freed, and knows of no giving back.
  static constexpr bool kMeasuresMemory = false;
#else
  static constexpr bool kMeasuresMemory = true;
#endif
  // Those of the registry's files and of a connection that a good client renews come and go.
  static constexpr int kDescriptorsOfOurs = 8;
  // What an allocator keeps in its arenas for the next one, the ring of changes, and what is known
  // of frameworks that may come back.
  static constexpr double kKeptKib = 128 << 10;

  static MiniCluster* cluster_;
  static GoodClients* good_;
  static int descriptors_;
  static double resident_kib_;  // Before the first of them.
};

inline MiniCluster* AbuseFixture::cluster_ = nullptr;
inline GoodClients* AbuseFixture::good_ = nullptr;
inline int AbuseFixture::descriptors_ = 0;
inline double AbuseFixture::resident_kib_ = 0;

}  // namespace proffer::testing
