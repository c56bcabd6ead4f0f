#include "master/candidacy.h"

#include <glog/logging.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/end_process.h"
#include "common/base/status.h"
#include "common/model/version.h"
#include "common/rpc/leader_hint.h"
#include "common/zookeeper/leader_watch.h"
#include "common/zookeeper/store.h"
#include "master/lifeline.h"
#include "master/standby.h"

namespace proffer::master {
namespace {

// One life of one process, told from all others.
std::string NewInstance() {
  std::random_device kernel;
  return absl::StrCat(absl::Hex(uint64_t{kernel()} << 32 | kernel(), absl::kZeroPad16));
}

// The lead comes and goes with the session; anything else is wrong with the registry, and would be
// after a restart as well.
[[noreturn]] void End(const absl::Status& why) {
  const bool restart_helps = absl::IsUnavailable(why) || absl::IsAborted(why);
  EndProcess(why.message(), restart_helps ? kExitRestart : 1);
}

// The kernel's name for this boot of this machine, and of the network that we are in.
std::string ThisMachine() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  std::error_code unknown;
  const std::string network = std::filesystem::read_symlink("/proc/self/ns/net", unknown).string();
  return boot.empty() || network.empty() ? "" : absl::StrCat(boot, "/", network);
}

// Two cannot listen on the same address of one machine.
bool SharesAddress(const zk::LeaderInfo& a, const zk::LeaderInfo& b) {
  if (a.machine.empty() || a.machine != b.machine) return false;
  return std::any_of(a.addresses.begin(), a.addresses.end(), [&b](const std::string& address) {
    return std::find(b.addresses.begin(), b.addresses.end(), address) != b.addresses.end();
  });
}

std::vector<rpc::Address> AddressesOf(const zk::LeaderInfo& info) {
  absl::StatusOr<std::vector<rpc::Address>> addresses =
      rpc::ParseAddresses(absl::StrJoin(info.addresses, ","));
  if (addresses.ok()) return *std::move(addresses);
  LOG(WARNING) << "a master's addresses in ZooKeeper: " << addresses.status().message();
  return {};
}

}  // namespace

Candidacy::Candidacy(Options options, rpc::Listeners listeners)
    : options_(std::move(options)), listeners_(std::move(listeners)), thread_([this] { Run(); }) {}

Candidacy::~Candidacy() {
  {
    MutexLock lock(&mutex_);
    resigning_ = true;
    if (contender_ != nullptr) contender_->Withdraw();
    // A leader still needs the session, for what it has decided and not written yet.
    if (session_ != nullptr && !leading_) session_->Abandon();
  }
  thread_.join();
}

bool Candidacy::resigning() const {
  MutexLock lock(&mutex_);
  return resigning_;
}

void Candidacy::Run() {
  const absl::Status why = Stand();
  if (!resigning()) End(why);
  LOG(INFO) << "resigned";
}

absl::Status Candidacy::Stand() {
  ASSIGN_OR_RETURN(const std::unique_ptr<zk::Session> session,
                   zk::Session::Open(options_.zookeeper,
                                     {options_.session_timeout_ms, [this](const absl::Status& why) {
                                        if (!resigning()) End(why);
                                      }}));
  {
    MutexLock lock(&mutex_);
    if (resigning_) return absl::CancelledError("resigned");
    session_ = session.get();
  }
  zk::LeaderInfo info;
  info.instance = NewInstance();
  info.addresses = options_.advertised;
  info.machine = ThisMachine();
  info.version = model::ThisVersion().ToString();
  if (options_.master.cluster.no_other) info.cluster_id = options_.master.cluster.id;
  absl::StatusOr<std::unique_ptr<zk::Contender>> contender =
      zk::Contender::Stand(session.get(), info);
  absl::Status over = contender.status();
  if (contender.ok()) {
    LOG(INFO) << "stands for election in " << options_.zookeeper.ToString() << " as "
              << (*contender)->node();
    {
      MutexLock lock(&mutex_);
      contender_ = contender->get();
      if (resigning_) contender_->Withdraw();
    }
    over = StandBy(contender->get(), info);
    if (over.ok()) over = Lead(session.get(), contender->get());
  }
  MutexLock lock(&mutex_);
  contender_ = nullptr;
  session_ = nullptr;
  return over;
}

absl::Status Candidacy::StandBy(zk::Contender* contender, const zk::LeaderInfo& self) {
  for (const zk::Contender::Rival& rival : contender->before()) {
    if (!SharesAddress(rival.info, self)) continue;
    LOG(INFO) << "removing " << rival.node << " from the election: it is our own of a former life, "
              << "because we could bind its address: " << contender->Remove(rival);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Standby> standby,
                   Standby::Start(std::move(listeners_), options_.master.limits));
  const zk::LeaderWatch watch(options_.zookeeper, [&](const std::optional<zk::LeaderInfo>& leader) {
    // Ourselves: in a moment we serve on the same addresses, and whoever connects waits for that.
    const bool another = leader && leader->instance != self.instance;
    standby->SetLeader(another ? AddressesOf(*leader) : std::vector<rpc::Address>());
  });
  std::vector<std::unique_ptr<Lifeline>> lifelines;
  for (const zk::Contender::Rival& rival : contender->before()) {
    const std::vector<rpc::Address> addresses = AddressesOf(rival.info);
    if (addresses.empty() || SharesAddress(rival.info, self)) continue;
    const std::string where = rpc::PrintAddresses(addresses);
    LOG(INFO) << "standing by behind the master at " << where;
    // Should it live all the same, it loses its lead by this and nothing else: whatever it still
    // writes is refused once the epoch is raised.
    lifelines.push_back(std::make_unique<Lifeline>(addresses, [contender, rival, where] {
      const absl::Status removed = contender->Remove(rival);
      LOG(WARNING) << "removing the dead master at " << where << " from the election: " << removed;
    }));
  }
  const absl::Status over = contender->AwaitLead();
  listeners_ = standby->Release();
  return over;
}

absl::Status Candidacy::Lead(zk::Session* session, zk::Contender* contender) {
  {
    MutexLock lock(&mutex_);
    if (resigning_) return absl::CancelledError("resigned");
    leading_ = true;
  }
  LOG(INFO) << "elected; taking over the registry in " << options_.zookeeper.ToString();
  MasterOptions options = options_.master;
  ASSIGN_OR_RETURN(const std::unique_ptr<zk::ZooKeeperStore> store,
                   zk::ZooKeeperStore::Open(session, options.cluster.id));
  if (store->cluster_id()) {
    if (options.cluster.no_other && *store->cluster_id() != options.cluster.id) {
      return absl::FailedPreconditionError(absl::StrCat(
          options_.zookeeper.ToString(), " is cluster ", *store->cluster_id(), ", not ",
          options.cluster.id, "; name the right cluster, or another chroot"));
    }
    options.cluster = {*store->cluster_id(), /*no_other=*/true};
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Master> master,
                   Master::Start(std::move(options), std::move(listeners_), store.get()));
  options_.leading(*master);
  const absl::Status why = contender->AwaitLoss();
  // At once, before anybody is told anything more in the name of a leader.
  if (!resigning()) End(why);
  return why;
}

}  // namespace proffer::master
