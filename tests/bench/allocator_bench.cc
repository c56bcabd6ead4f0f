// How fast the allocator decides, and how much memory its refusals take.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "allocator/allocator.h"
#include "bench/bench.h"
#include "glog/logging.h"

namespace proffer::allocator {
namespace {

constexpr int64_t kCpus = 16;
constexpr int64_t kGiB = int64_t{1} << 30;

Amounts Size(int64_t cpus) {
  Amounts amounts;
  amounts.count[0] = cpus * 1000;
  amounts.count[1] = cpus * 4 * kGiB;
  return amounts;
}

struct Shape {
  int agents = 10000;
  int frameworks = 1000;
  int roles = 1;
  bool demand = false;
  int64_t task_cpus = kCpus;  // Of a shape demanded.
  int64_t unmet = 1000000;
};

class Cluster {
 public:
  explicit Cluster(const Shape& shape) : shape_(shape) {
    Options options;
    options.max_outstanding_grants = 0;
    allocator_ = std::make_unique<Allocator>(options);
    for (int r = 0; r < shape.roles; ++r) {
      roles_.push_back(allocator_->InternRole(absl::StrCat("role", r)));
    }
  }

  Allocator& allocator() { return *allocator_; }
  RoleIndex RoleOf(int framework) const {
    return roles_[static_cast<size_t>(framework) % roles_.size()];
  }

  void AddAgent(int a) {
    const std::vector<Portion> total{Portion{kUnreserved, Size(kCpus)}};
    allocator_->AddAgent(AgentIndex(static_cast<uint32_t>(a)), AgentFacts(), total);
  }
  void AddAgents() {
    for (int a = 0; a < shape_.agents; ++a) AddAgent(a);
  }
  void AddFrameworks() {
    for (int f = 0; f < shape_.frameworks; ++f) {
      const FrameworkIndex framework(static_cast<uint32_t>(f));
      const std::vector<RoleIndex> roles{RoleOf(f)};
      allocator_->AddFramework(framework, roles);
      if (!shape_.demand) continue;
      Demand demand;
      demand.role = RoleOf(f);
      demand.shape = Size(shape_.task_cpus);
      demand.count = shape_.unmet;
      allocator_->SetDemand(framework, true, {demand});
    }
  }
  // One more framework holds everything and wants nothing.
  void FillUp() {
    const FrameworkIndex holder = Holder();
    const std::vector<RoleIndex> roles{roles_[0]};
    allocator_->AddFramework(holder, roles);
    allocator_->Suppress(holder, {});
    const std::vector<Portion> all{Portion{kUnreserved, Size(kCpus)}};
    for (int a = 0; a < shape_.agents; ++a) {
      allocator_->Hold(holder, roles_[0], AgentIndex(static_cast<uint32_t>(a)), all);
    }
  }
  FrameworkIndex Holder() const { return FrameworkIndex(static_cast<uint32_t>(shape_.frameworks)); }
  // Every `step`th framework, beginning elsewhere on each agent.
  void Refuse(int step, int64_t cpus) {
    for (int a = 0; a < shape_.agents; ++a) {
      for (int f = a % step; f < shape_.frameworks; f += step) {
        allocator_->Refuse(FrameworkIndex(static_cast<uint32_t>(f)), RoleOf(f),
                           AgentIndex(static_cast<uint32_t>(a)), Size(cpus),
                           Time{1000000 + a * 37 % 100000});
      }
    }
  }

 private:
  const Shape shape_;
  std::unique_ptr<Allocator> allocator_;
  std::vector<RoleIndex> roles_;
};

bench::Params ParamsOf(const Shape& s) {
  return {{"agents", s.agents}, {"frameworks", s.frameworks}, {"roles", s.roles}};
}

void FullPass(bench::Report* report, Shape shape) {
  const std::string name = "allocator/full_pass";
  if (!report->Wants(name)) return;
  std::unique_ptr<Cluster> cluster;
  std::vector<Grant> grants;
  const double ms = bench::MedianMs(
      7,
      [&] {
        cluster = std::make_unique<Cluster>(shape);
        cluster->AddFrameworks();
        cluster->AddAgents();
        grants.clear();
        grants.reserve(static_cast<size_t>(shape.agents) * 4);
      },
      [&] { cluster->allocator().Allocate(Time{1}, &grants); });
  bench::Params params = ParamsOf(shape);
  params.emplace_back("task_cpus", shape.demand ? shape.task_cpus : 0);
  params.emplace_back("grants", static_cast<int64_t>(grants.size()));
  report->Add(name, params, ms, "ms");
}

// Every agent was just declined by everybody; there is nothing to give.
void Decline(bench::Report* report, Shape shape) {
  const std::string name = "allocator/decline";
  if (!report->Wants(name)) return;
  Cluster cluster(shape);
  cluster.AddFrameworks();
  cluster.AddAgents();
  cluster.Refuse(1, kCpus);
  std::vector<Grant> grants;
  const double ms = bench::MedianMs(
      21,
      [&] {
        for (int a = 0; a < shape.agents; ++a) {
          cluster.allocator().SetAgentActive(AgentIndex(static_cast<uint32_t>(a)), true);
        }
      },
      [&] { cluster.allocator().Allocate(Time{1}, &grants); });
  CHECK(grants.empty());
  report->Add(name, ParamsOf(shape), ms, "ms");
}

// One task of one cpu ends in a full cluster. refused: 0 nobody, 1 half of all pairs (for as much
// as is freed), 2 all pairs. fits: whether the demanded shape fits into what is freed.
void OneChange(bench::Report* report, Shape shape, int refused, bool fits) {
  const std::string name = "allocator/one_change";
  if (!report->Wants(name)) return;
  Cluster cluster(shape);
  cluster.AddFrameworks();
  cluster.AddAgents();
  cluster.FillUp();
  std::vector<Grant> grants;
  Allocator& allocator = cluster.allocator();
  allocator.Allocate(Time{1}, &grants);
  CHECK(grants.empty());
  if (refused > 0) cluster.Refuse(refused == 1 ? 2 : 1, 1);

  const std::vector<Portion> task{Portion{kUnreserved, Size(1)}};
  int agent = 0;
  int64_t made = 0;
  const auto change = [&] {
    agent = (agent + 7919) % shape.agents;
    allocator.Release(cluster.Holder(), cluster.RoleOf(0), AgentIndex(static_cast<uint32_t>(agent)),
                      task);
  };
  const int kRuns = 201;
  const double ms = bench::MedianMs(
      kRuns,
      [&] {
        // Back to a full agent.
        for (const Grant& grant : grants) {
          allocator.Release(grant.framework, grant.role, grant.agent, grant.portions);
          allocator.GrantClosed(grant.framework);
        }
        if (made > 0 || agent != 0) {
          const AgentIndex last(static_cast<uint32_t>(agent));
          const std::vector<Portion> rest{Portion{kUnreserved, allocator.Free(last, kUnreserved)}};
          allocator.Hold(cluster.Holder(), cluster.RoleOf(0), last, rest);
        }
        grants.clear();
        allocator.Allocate(Time{1}, &grants);
        CHECK(grants.empty());
        change();
      },
      [&] {
        allocator.Allocate(Time{1}, &grants);
        made += static_cast<int64_t>(grants.size());
      });
  bench::Params params = ParamsOf(shape);
  params.emplace_back("refused_percent", refused * 50);
  params.emplace_back("task_cpus", shape.demand ? shape.task_cpus : 0);
  params.emplace_back("grants", made / kRuns);
  report->Add(name, params, ms * 1000, "us");
}

void AddAgents(bench::Report* report, Shape shape, bool pass_each) {
  const std::string name = pass_each ? "allocator/add_one_by_one" : "allocator/add_agents";
  if (!report->Wants(name)) return;
  std::unique_ptr<Cluster> cluster;
  std::vector<Grant> grants;
  const double ms = bench::MedianMs(
      5,
      [&] {
        cluster = std::make_unique<Cluster>(shape);
        cluster->AddFrameworks();
        grants.clear();
      },
      [&] {
        for (int a = 0; a < shape.agents; ++a) {
          cluster->AddAgent(a);
          if (pass_each) cluster->allocator().Allocate(Time{1}, &grants);
        }
        cluster->allocator().Allocate(Time{1}, &grants);
      });
  bench::Params params = ParamsOf(shape);
  params.emplace_back("grants", static_cast<int64_t>(grants.size()));
  report->Add(name, params, ms, "ms");
}

void Refusals(bench::Report* report, Shape shape) {
  if (!report->Wants("allocator/refusals")) return;
  Cluster cluster(shape);
  cluster.AddFrameworks();
  cluster.AddAgents();
  const int64_t before = bench::HeapBytes();
  const double start = bench::ThreadCpuMs();
  cluster.Refuse(2, kCpus);
  const double ms = bench::ThreadCpuMs() - start;
  const auto live = static_cast<double>(cluster.allocator().LiveRefusals());
  report->Add("allocator/refusals", ParamsOf(shape),
              static_cast<double>(bench::HeapBytes() - before) / (1 << 20), "MiB");
  report->Add("allocator/refuse", ParamsOf(shape), ms * 1e6 / live, "ns");
  {
    const double copying = bench::ThreadCpuMs();
    const Allocator copy(cluster.allocator());
    report->Add("allocator/copy", ParamsOf(shape), bench::ThreadCpuMs() - copying, "ms");
    const double explaining = bench::ThreadCpuMs();
    bench::Keep(copy.ExplainRole(FrameworkIndex(0), cluster.RoleOf(0), Time{1}).fits);
    report->Add("allocator/explain", ParamsOf(shape), bench::ThreadCpuMs() - explaining, "ms");
  }
  std::vector<Grant> grants;
  const double expiring = bench::ThreadCpuMs();
  for (int f = 0; f < shape.frameworks; ++f) {
    cluster.allocator().Suppress(FrameworkIndex(static_cast<uint32_t>(f)), {});
  }
  cluster.allocator().Allocate(Time{10000000}, &grants);
  CHECK_EQ(cluster.allocator().LiveRefusals(), 0);
  report->Add("allocator/expire", ParamsOf(shape), (bench::ThreadCpuMs() - expiring) * 1e6 / live,
              "ns");
}

int Main(int argc, char** argv) {
  bench::Report report(argc, argv);
  const std::vector<Shape> sizes{{1000, 50, 1}, {1000, 1000, 1}, {10000, 50, 1}, {10000, 1000, 1}};
  for (const Shape& size : sizes) FullPass(&report, size);
  FullPass(&report, {10000, 1000, 1000});
  FullPass(&report, {10000, 1000, 1, true, 16});
  FullPass(&report, {10000, 1000, 1, true, 4});
  FullPass(&report, {10000, 1000, 1000, true, 3});
  FullPass(&report, {10000, 1000, 1, true, 17});
  FullPass(&report, {3000, 3000, 3000});
  for (const Shape& size : sizes) Decline(&report, size);
  for (int refused : {0, 1, 2}) {
    for (const Shape& size : sizes) OneChange(&report, size, refused, true);
  }
  OneChange(&report, {10000, 1000, 1, true, 1}, 0, true);
  OneChange(&report, {10000, 1000, 1, true, 1}, 1, true);
  OneChange(&report, {10000, 1000, 1000, true, 1}, 1, true);
  OneChange(&report, {10000, 1000, 1, true, 2}, 0, false);
  OneChange(&report, {10000, 1000, 1000, true, 2}, 0, false);
  AddAgents(&report, {10000, 1000, 1}, false);
  AddAgents(&report, {10000, 1000, 1}, true);
  Refusals(&report, {10000, 1000, 1});
  return report.Finish();
}

}  // namespace
}  // namespace proffer::allocator

int main(int argc, char** argv) { return proffer::allocator::Main(argc, argv); }
