// The threads around the core, with a transport in memory: free of gRPC, for ThreadSanitizer.
#include "sdk/driver.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "sdk/driver_gate.h"
#include "unit/sdk/core_fixture.h"

namespace proffer::sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// A queue that a test waits on; 30 s without anything fail it.
template <typename T>
class Waiting {
 public:
  void Put(T item) {
    MutexLock lock(&mutex_);
    items_.push_back(std::move(item));
    changed_.SignalAll();
  }
  std::optional<T> Next() {
    MutexLock lock(&mutex_);
    while (items_.empty()) {
      if (!changed_.WaitFor(&mutex_, 30'000)) {
        ADD_FAILURE() << "waited in vain";
        return std::nullopt;
      }
    }
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<T> items_;
};

// The other end of the transport, in the hands of the test.
struct Line {
  Waiting<uint64_t> opened;
  Waiting<uint64_t> closed;
  Waiting<std::pair<uint64_t, model::SchedulerCall>> said;
  Mutex mutex;
  bool refuses = false;
  Transport::Report report;

  void Tell(uint64_t stream, model::SchedulerEvent event) {
    report(EventReceived{stream, BootTimeNow(), std::move(event)});
  }
  // The next call of that kind; those before it are answered with ok.
  template <typename Call>
  std::optional<Call> Expect(uint64_t* call_id = nullptr) {
    while (auto next = said.Next()) {
      const auto& [stream, call] = *next;
      if (call_id != nullptr) *call_id = call.call_id;
      if (const auto* found = std::get_if<Call>(&call.call)) return *found;
      if (call.call_id != 0) {
        Tell(stream, model::CallResult{call.call_id, {{"", model::Outcome::Ok(), {}}}});
      }
    }
    return std::nullopt;
  }
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(Line* line) : line_(line) {}
  void Begin(Report report) override { line_->report = std::move(report); }
  void Open(uint64_t stream, int64_t) override {
    line_->report(StreamUp{stream});
    line_->opened.Put(stream);
  }
  bool Send(uint64_t stream, const model::SchedulerCall& call) override {
    MutexLock lock(&line_->mutex);
    if (line_->refuses) return false;
    line_->said.Put({stream, call});
    return true;
  }
  void Close(uint64_t stream) override { line_->closed.Put(stream); }

 private:
  Line* const line_;
};

class Listener final : public Receiver {
 public:
  void Take(const Delivery& delivery) override {
    deliveries.Put(delivery);
    const auto* update = std::get_if<Update>(&delivery);
    if (update != nullptr && hold_updates) released.Next();
  }
  void Take(const Notice& notice) override { notices.Put(notice); }
  void Take(const Stop& stop) override { stops.Put(stop); }

  template <typename What>
  std::optional<What> Expect() {
    while (auto next = deliveries.Next()) {
      if (const auto* found = std::get_if<What>(&*next)) return *found;
    }
    return std::nullopt;
  }

  Waiting<Delivery> deliveries;
  Waiting<Notice> notices;
  Waiting<Stop> stops;
  bool hold_updates = false;
  Waiting<int> released;
};

class BrokenStore final : public StateStore {
 public:
  absl::StatusOr<std::map<std::string, std::string>> Load() override {
    return std::map<std::string, std::string>();
  }
  absl::Status Write(const std::vector<StateChange>&) override {
    return absl::UnavailableError("the disk is full");
  }
};

class DriverTest : public ::testing::Test {
 protected:
  void Begin(std::shared_ptr<StateStore> store = std::make_shared<MemoryStateStore>(),
             std::optional<TaskQueue::Options> queue = std::nullopt) {
    Config config;
    config.framework.name = "test";
    config.framework.roles = {"default"};
    auto driver = Driver::Make(config, std::move(queue), std::move(store),
                               std::make_unique<FakeTransport>(&line_), &listener_);
    ASSERT_TRUE(driver.ok()) << driver.status();
    driver_ = *std::move(driver);
    driver_->Begin();
  }
  uint64_t Subscribe() {
    const uint64_t stream = line_.opened.Next().value_or(0);
    EXPECT_TRUE(line_.Expect<model::Subscribe>());
    line_.Tell(stream,
               model::Subscribed{model::ThisVersion(), model::FrameworkId("F-1"), "c", 1, 5000});
    return stream;
  }

  Line line_;
  Listener listener_;
  std::unique_ptr<Driver> driver_;
};

TEST_F(DriverTest, SubscribesSavesTheIdAndTellsTheUser) {
  auto store = std::make_shared<MemoryStateStore>();
  Begin(store);
  Subscribe();
  const std::optional<Ready> ready = listener_.Expect<Ready>();
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->subscribed.framework.value(), "F-1");
  driver_.reset();
  EXPECT_EQ(listener_.stops.Next()->cause, Stop::Cause::kLeft);
  EXPECT_EQ(store->Load()->at("framework_id"), "F-1");
}

TEST_F(DriverTest, AcknowledgesWhenTheCallbackHasReturned) {
  listener_.hold_updates = true;
  Begin();
  const uint64_t stream = Subscribe();
  line_.Tell(stream, MakeStatus("t", model::TaskState::kRunning, 1, "i"));
  ASSERT_TRUE(listener_.Expect<Update>());
  // The user is at it; a heartbeat is answered meanwhile, and nothing was acknowledged before.
  line_.Tell(stream, model::Heartbeat{});
  while (auto said = line_.said.Next()) {
    ASSERT_FALSE(std::holds_alternative<model::Acknowledge>(said->second.call));
    if (std::holds_alternative<model::HeartbeatAnswer>(said->second.call)) break;
  }
  listener_.released.Put(1);
  EXPECT_TRUE(line_.Expect<model::Acknowledge>());
}

TEST_F(DriverTest, RepetitionsAreAcknowledgedBehindTheUsersBack) {
  Begin();
  const uint64_t stream = Subscribe();
  line_.Tell(stream, MakeStatus("t", model::TaskState::kRunning, 1, "i"));
  ASSERT_TRUE(line_.Expect<model::Acknowledge>());
  line_.Tell(stream, MakeStatus("t", model::TaskState::kRunning, 1, "i"));
  ASSERT_TRUE(line_.Expect<model::Acknowledge>());
  line_.Tell(stream, MakeStatus("t", model::TaskState::kKilling, 2, "i"));
  EXPECT_EQ(listener_.Expect<Update>()->status.sequence, 1u);
  EXPECT_EQ(listener_.Expect<Update>()->status.sequence, 2u);
}

TEST_F(DriverTest, ConnectsAgainWhenTheStreamBreaks) {
  Begin();
  const uint64_t first = Subscribe();
  line_.Tell(first, model::Heartbeat{});
  ASSERT_TRUE(line_.Expect<model::HeartbeatAnswer>());
  line_.report(StreamDown{first, "cut by the test"});
  EXPECT_EQ(listener_.Expect<Disconnected>()->reason, "cut by the test");
  const uint64_t second = line_.opened.Next().value_or(0);
  EXPECT_GT(second, first);
  EXPECT_EQ(line_.Expect<model::Subscribe>()->framework.id.value(), "F-1");
}

TEST_F(DriverTest, LeavesAStreamThatTakesNoMore) {
  Begin();
  const uint64_t stream = Subscribe();
  ASSERT_TRUE(listener_.Expect<Ready>());
  {
    MutexLock lock(&line_.mutex);
    line_.refuses = true;
  }
  line_.Tell(stream, model::Heartbeat{});
  EXPECT_EQ(line_.closed.Next(), stream);
  EXPECT_TRUE(listener_.Expect<Disconnected>());
}

TEST_F(DriverTest, AStoreThatFailsStopsIt) {
  Begin(std::make_shared<BrokenStore>());
  const std::optional<Stop> stop = listener_.stops.Next();
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->cause, Stop::Cause::kStoreFailed);
  EXPECT_THAT(stop->message, ::testing::HasSubstr("the disk is full"));
  EXPECT_EQ(driver_->Wait().cause, Stop::Cause::kStoreFailed);
  driver_->Post(Event(SuppressAsked{}));  // Without effect.
}

TEST_F(DriverTest, ManyThreadsMaySubmitAtOnce) {
  Begin(std::make_shared<MemoryStateStore>(), TaskQueue::Options{{"default"}});
  const uint64_t stream = Subscribe();
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kEach; ++i) {
        QueuedTask task;
        task.id = model::TaskId("t" + std::to_string(t) + "-" + std::to_string(i));
        task.shape = *Quantities::Parse("cpus:0.01");
        task.payload = std::make_shared<const std::string>("run");
        driver_->Post(SubmitAsked{static_cast<uint64_t>(t * kEach + i + 1), std::move(task)});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int done = 0;
  uint64_t offers = 0;
  std::map<std::string, int> ended;
  line_.Tell(stream, model::Offers{{MakeOffer(++offers)}});
  while (done < kThreads * kEach) {
    uint64_t call_id = 0;
    // Whatever is not placed by one offer is by the next.
    auto next = line_.said.Next();
    ASSERT_TRUE(next);
    call_id = next->second.call_id;
    std::vector<model::CallResult::Item> items;
    if (const auto* accept = std::get_if<model::Accept>(&next->second.call)) {
      for (const model::TaskSpec& spec : accept->tasks) {
        items.push_back({spec.id.value(), {}, {1, ++offers}});
        model::TaskStatus end =
            MakeStatus(spec.id.value(), model::TaskState::kFinished, 1, spec.intent_id, offers);
        line_.Tell(stream, end);
        ++done;
      }
      line_.Tell(stream, model::Offers{{MakeOffer(++offers)}});
    } else if (std::holds_alternative<model::Decline>(next->second.call)) {
      line_.Tell(stream, model::Offers{{MakeOffer(++offers)}});
    }
    if (items.empty()) items.push_back({});
    if (call_id != 0) line_.Tell(stream, model::CallResult{call_id, std::move(items)});
  }
  for (int told = 0; told < kThreads * kEach;) {
    auto notice = listener_.notices.Next();
    ASSERT_TRUE(notice);
    if (const auto* end = std::get_if<TaskDone>(&*notice)) {
      EXPECT_EQ(++ended[end->result.status.task.value()], 1);
      ++told;
    }
  }
}

TEST_F(DriverTest, AnIdMayBeLaunchedAgainFromTheCallbackThatTellsItsEnd) {
  Begin();
  const uint64_t stream = Subscribe();
  DriverGate gate;
  gate.Open(driver_.get());
  Update update;
  update.number = 77;
  update.status = MakeStatus("t", model::TaskState::kFailed, 1, "i");
  update.final = true;
  gate.Telling(&update);
  line_.Tell(stream, MakeStatus("t", model::TaskState::kFailed, 1, "i"));
  ASSERT_TRUE(line_.Expect<model::Acknowledge>());
  line_.Tell(stream, model::Offers{{MakeOffer(1)}});
  ASSERT_TRUE(listener_.Expect<OffersCame>());
  gate.Post(Event(AcceptAsked{0, {{{1, 1}}, {MakeSpec("t")}, std::nullopt}}));
  EXPECT_TRUE(line_.Expect<model::Accept>());
  gate.Close();
  gate.Post(Event(LeaveAsked{}));  // Without effect.
  driver_->Post(Event(TeardownAsked{}));
  EXPECT_TRUE(line_.Expect<model::Teardown>());
}

}  // namespace
}  // namespace proffer::sdk
