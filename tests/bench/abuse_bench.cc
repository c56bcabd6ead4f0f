// What twenty hostile clients do to good ones: how long a task takes from submission to RUNNING,
// and a call of an operator, alone and beside them; and what they do to the master's memory. Agents
// are emulated. The hostile ones are a process of their own that yields to everybody else (nice
// 19): on a real network their work would be done by other machines, while what they cost the
// master counts here as it does there.
#include <glog/logging.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "common/convert/task.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "proffer/v1/scheduler.pb.h"
#include "support/child_process.h"
#include "support/emulated_agents.h"
#include "support/hostile_connection.h"
#include "support/mini_cluster.h"
#include "support/process_figures.h"

namespace proffer {
namespace {

using testing::HostileConnection;
namespace http2 = testing::http2;

constexpr char kConnect[] = "/proffer.v1.SchedulerService/Connect";
constexpr int kHostile = 20;
constexpr int kSamples = 400;

// --- Hostile clients, each on a thread, until the process is killed ---

std::string Subscription(int number) {
  v1::SchedulerCall call;
  call.set_call_id(1);
  v1::Subscribe* subscribe = call.mutable_subscribe();
  convert::ToProto(model::ThisVersion(), subscribe->mutable_version());
  subscribe->mutable_framework()->set_name(absl::StrCat("hostile-", number));
  subscribe->mutable_framework()->add_roles("hostile");
  // What this measures is load. Whoever keeps offers without answering is another matter, and that
  // of --offer_timeout_ms and of shares.
  subscribe->add_suppressed_roles("hostile");
  return call.SerializeAsString();
}

std::string WideGreeting() {
  return http2::Greeting(1 << 30) + http2::SettingsTaken() + http2::WindowUpdate(1 << 30);
}

// Opens connections, says nothing, and closes them again.
void FloodConnections(const std::string& address) {
  std::vector<std::unique_ptr<HostileConnection>> crowd;
  for (int i = 0; i < 200; ++i) crowd.push_back(std::make_unique<HostileConnection>(address));
}

// Calls as fast as they are taken, and reads what is answered.
void FloodCalls(const std::string& address, int number) {
  HostileConnection one(address);
  one.Send(WideGreeting() + http2::Call(1, kConnect) + http2::Message(1, Subscription(number)));
  v1::SchedulerCall call;
  call.mutable_suppress();
  for (int round = 0; round < 1'000; ++round) {
    std::string bytes;
    for (int i = 0; i < 50; ++i) {
      call.set_call_id(static_cast<uint64_t>(2 + 50 * round + i));
      bytes += http2::Message(1, call.SerializeAsString());
    }
    if (!one.Send(bytes)) return;
    while (!one.Read(0).empty()) {
    }
  }
}

// Subscribes and is gone, again and again, and never reads.
void StormSubscriptions(const std::string& address, int number) {
  HostileConnection one(address);
  one.Send(http2::Greeting() + http2::SettingsTaken());
  for (uint32_t i = 0; i < 1'000; ++i) {
    const uint32_t stream = 2 * i + 1;
    if (!one.Send(http2::Call(stream, kConnect) + http2::Message(stream, Subscription(number)) +
                      http2::Reset(stream),
                  1'000)) {
      return;
    }
  }
}

// Lists everything and watches everything, and takes nothing of what it is sent.
void HoardReaders(const std::string& address) {
  HostileConnection one(address);
  std::string bytes = http2::Greeting(/*window=*/0) + http2::SettingsTaken();
  v1::ListRequest list;
  list.set_kind(v1::TASKS);
  for (uint32_t i = 0; i < 100; ++i) {
    const bool watches = i % 2 == 0;
    bytes += http2::Call(2 * i + 1, watches ? "/proffer.v1.OperatorService/Watch"
                                            : "/proffer.v1.OperatorService/List") +
             http2::Message(2 * i + 1, watches ? "" : list.SerializeAsString(), /*last=*/true);
  }
  one.Send(bytes);
  one.CountEnds(100, 5'000);
}

// Messages as large as they may be, and larger.
void SendLarge(const std::string& address, int number) {
  HostileConnection one(address);
  one.Send(WideGreeting() + http2::Call(1, kConnect) + http2::Message(1, Subscription(number)));
  v1::SchedulerCall call;
  for (int i = 0; i < 50; ++i) {
    call.set_call_id(static_cast<uint64_t>(2 + i));
    call.mutable_kill()->set_task_id(
        std::string(limits::kMessageBytes - (i == 49 ? 0 : 1'000), 'x'));
    if (!one.Send(http2::Message(1, call.SerializeAsString()))) return;
    while (!one.Read(0).empty()) {
    }
  }
}

// What hostile clients do; with all of them, four clients each do one.
constexpr const char* kKinds[] = {"connections", "calls", "subscriptions", "readers", "large"};

[[noreturn]] void BeHostile(const std::string& address, const std::string& kind) {
  std::vector<std::thread> clients;
  for (int number = 0; number < kHostile; ++number) {
    const std::string mine = kind == "all" ? kKinds[number % std::size(kKinds)] : kind;
    clients.emplace_back([&address, number, mine] {
      while (true) {
        if (mine == "connections") FloodConnections(address);
        if (mine == "calls") FloodCalls(address, number);
        if (mine == "subscriptions") StormSubscriptions(address, number);
        if (mine == "readers") HoardReaders(address);
        if (mine == "large") SendLarge(address, number);
      }
    });
  }
  std::puts("hostile");
  std::fflush(stdout);
  for (std::thread& client : clients) client.join();
  std::abort();  // They never end.
}

// --- Good clients ---

struct Latencies {
  std::vector<double> running_ms;
  std::vector<double> call_ms;
};

double MsSince(int64_t began_ns) { return static_cast<double>(BootTimeNanos() - began_ns) / 1e6; }

// One task and one call after the other.
Latencies Measure(Framework* framework, v1::OperatorService::Stub* stub) {
  static int task = 0;
  Latencies out;
  for (int i = 0; i < kSamples; ++i) {
    Mutex mutex;
    CondVar changed;
    bool running = false;
    const int64_t submitted_ns = BootTimeNanos();
    const Run run =
        framework->Submit(Task{absl::StrCat("t", ++task)}.Command("-").Cpus(0.1).Mem(16_MiB));
    run.OnStatus([&](const TaskStatus& status) {
      if (status.state != TaskState::kRunning) return;
      MutexLock lock(&mutex);
      running = true;
      changed.SignalAll();
    });
    {
      MutexLock lock(&mutex);
      while (!running) changed.WaitFor(&mutex, 1'000);
    }
    out.running_ms.push_back(MsSince(submitted_ns));
    run.Kill();
    run.Wait();
    const int64_t called_ns = BootTimeNanos();
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(30'000));
    v1::Cluster cluster;
    const grpc::Status status = stub->GetCluster(&context, v1::GetClusterRequest(), &cluster);
    CHECK(status.ok()) << status.error_message();
    out.call_ms.push_back(MsSince(called_ns));
  }
  return out;
}

class Bench {
 public:
  explicit Bench(bench::Report* report) : report_(report) {
    CHECK(agents_.AwaitRegistered(1, 60'000));
    auto framework = Framework::Start({.name = "good",
                                       .master = cluster_.address(),
                                       .state_store = std::make_shared<MemoryStateStore>()});
    CHECK(framework.ok()) << framework.status();
    framework_ = *std::move(framework);
    stub_ = v1::OperatorService::NewStub(rpc::MakeChannel({cluster_.address(), true}));
    Measure(framework_.get(), stub_.get());  // Warm.
    quiet_mib_ = ResidentMib();
    alone_ = Measure(framework_.get(), stub_.get());
    AddLatencies("alone/running", alone_.running_ms, nullptr);
    AddLatencies("alone/call", alone_.call_ms, nullptr);
    report_->Add("abuse/alone/master", {}, quiet_mib_, "MiB");
  }

  void Beside(const std::string& kind) {
    char self[PATH_MAX] = {};
    PCHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    Latencies beside;
    double during_mib = 0;
    double cores = 0;
    {
      const testing::ChildProcess hostile(
          {"/usr/bin/nice", "-n", "19", self, "--hostile", cluster_.address(), kind});
      CHECK(hostile.AwaitOutput("hostile"));
      std::atomic<bool> over = false;
      std::thread sampler([&] {
        while (!over) {
          during_mib = std::max(during_mib, ResidentMib());
          usleep(20'000);
        }
      });
      const double began_cpu_ms = testing::CpuMs(cluster_.master_pid());
      const int64_t began_ns = BootTimeNanos();
      beside = Measure(framework_.get(), stub_.get());
      cores = (testing::CpuMs(cluster_.master_pid()) - began_cpu_ms) / MsSince(began_ns);
      over = true;
      sampler.join();
    }
    // What was spare is given back every five seconds.
    const Time give_up = BootTimeNow() + 15'000;
    while (BootTimeNow() < give_up && ResidentMib() > quiet_mib_ + 64) usleep(100'000);
    AddLatencies(kind + "/running", beside.running_ms, &alone_.running_ms);
    AddLatencies(kind + "/call", beside.call_ms, &alone_.call_ms);
    report_->Add(absl::StrCat("abuse/", kind, "/master_cores"), {}, cores, "cores");
    report_->Add(absl::StrCat("abuse/", kind, "/master_during"), {}, during_mib, "MiB");
    report_->Add(absl::StrCat("abuse/", kind, "/master_after"), {}, ResidentMib(), "MiB");
  }

 private:
  double ResidentMib() { return testing::ResidentKib(cluster_.master_pid()) / 1024; }

  // And how many times what it is `alone`, if that is given.
  void AddLatencies(const std::string& name, const std::vector<double>& ms,
                    const std::vector<double>* alone) {
    for (const int percent : {50, 99}) {
      const bench::Params params = {{"percentile", percent}};
      const double value = testing::Percentile(ms, percent);
      report_->Add(absl::StrCat("abuse/", name), params, value, "ms");
      if (alone == nullptr) continue;
      report_->Add(absl::StrCat("abuse/", name, "_ratio"), params,
                   value / testing::Percentile(*alone, percent), "times");
    }
  }

  bench::Report* const report_;
  testing::MiniCluster cluster_{
      {.agents = 0, .master_flags = {"--patience_ms=2000"}, .on_disk = true, .tcp = true}};
  testing::EmulatedAgents agents_{10, cluster_.address(), "cpus:4;mem:4GiB"};
  std::unique_ptr<Framework> framework_;
  std::unique_ptr<v1::OperatorService::Stub> stub_;
  double quiet_mib_ = 0;
  Latencies alone_;
};

}  // namespace
}  // namespace proffer

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_ERROR;
  if (argc == 4 && std::string(argv[1]) == "--hostile") proffer::BeHostile(argv[2], argv[3]);
  proffer::bench::Report report(argc, argv);
  std::unique_ptr<proffer::Bench> bench;
  const auto beside = [&](const std::string& kind) {
    if (!report.Wants(absl::StrCat("abuse/", kind))) return;
    if (bench == nullptr) bench = std::make_unique<proffer::Bench>(&report);
    bench->Beside(kind);
  };
  beside("all");
  for (const char* kind : proffer::kKinds) beside(kind);
  bench.reset();
  return report.Finish();
}
