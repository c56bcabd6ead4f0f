#include "unit/cli/canned_cluster.h"

#include <glog/logging.h>
#include <google/protobuf/text_format.h>
#include <stdlib.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace proffer::cli {
namespace {

// Epoch 3 of a cluster with an agent that is gone quiet, a framework that waits, one of which two
// tasks have nearly the same name, and a detached run.
constexpr char kAgents[] = R"pb(
  objects {
    agent {
      agent_id: "A-aaaa"
      hostname: "a1"
      region: "eu"
      zone: "z1"
      state: CONNECTED
      tasks: 2
      attributes { name: "rack" text: "r1" }
      attributes { name: "gen" thousandths: 2500 }
      total { name: "cpus" scalar: 4000 }
      total { name: "mem" scalar: 8589934592 }
      total { name: "gpus" scalar: 2 }
      total {
        name: "ports"
        ranges { ranges { first: 31000 last: 31099 } }
      }
      used { name: "cpus" scalar: 1500 }
      used { name: "mem" scalar: 805306368 }
      used {
        name: "ports"
        ranges { ranges { first: 31000 last: 31000 } }
      }
      offered { name: "cpus" scalar: 2500 }
      resources_generation: 1
      version: "0.1.0"
    }
  }
  objects {
    agent {
      agent_id: "A-bbbb"
      hostname: "a2"
      state: AGENT_UNREACHABLE_STATE
      tasks: 1
      total { name: "cpus" scalar: 4000 }
      total { name: "mem" scalar: 8254930944 }
      used { name: "cpus" scalar: 500 }
      used { name: "mem" scalar: 134217728 }
      resources_generation: 1
      version: "0.1.0"
    }
  }
  objects { agent { agent_id: "A-cccc" hostname: "old" state: AGENT_GONE_STATE } })pb";

constexpr char kFrameworks[] = R"pb(
  objects {
    framework {
      framework_id: "F-web"
      name: "web"
      principal: "local:1000"
      roles: "eng/prod"
      roles: "eng"
      connected: true
      failover_timeout_ms: 604800000
      offers: 1
      live_tasks: 2
      ended_tasks: 1
      demand_declared: true
      demands {
        role: "eng"
        count: 2
        shape { key: "cpus" value: 1000 }
        shape { key: "mem" value: 25769803776 }
        label: "big"
        constraints { fact: "rack" test: EQUALS values: "r1" negated: true }
      }
      web_url: "http://127.0.0.1:8080"
    }
  }
  objects {
    framework {
      framework_id: "F-run"
      name: "run-abcd"
      principal: "local:0"
      roles: "default"
      failover_timeout_ms: 604800000
      live_tasks: 1
      demand_declared: true
      suppressed_roles: "default"
    }
  }
  objects {
    framework {
      framework_id: "F-sleepy"
      name: "sleepy"
      principal: "local:0"
      roles: "default"
      failover_timeout_ms: 3600000
      live_tasks: 3
    }
  })pb";

constexpr char kTasks[] = R"pb(
  objects {
    task {
      framework_id: "F-run"
      framework_name: "run-abcd"
      task_id: "run-abcd"
      name: "run-abcd"
      attempt { epoch: 3 n: 7 }
      agent_id: "A-aaaa"
      hostname: "a1"
      role: "default"
      state: RUNNING
      resources { name: "cpus" scalar: 500 }
      resources { name: "mem" scalar: 268435456 }
      launched_unix_ms: 1799999990000
      running_unix_ms: 1799999990100
    }
  }
  objects {
    task {
      framework_id: "F-web"
      framework_name: "web"
      task_id: "web.1"
      name: "the web"
      attempt { epoch: 2 n: 1 }
      agent_id: "A-aaaa"
      hostname: "a1"
      role: "eng/prod"
      state: RUNNING
      resources { name: "cpus" scalar: 1000 }
      resources { name: "mem" scalar: 536870912 }
      resources {
        name: "ports"
        ranges { ranges { first: 31000 last: 31000 } }
      }
      launched_unix_ms: 1799999808000
      running_unix_ms: 1799999808050
    }
  }
  objects {
    task {
      framework_id: "F-web"
      framework_name: "web"
      task_id: "web.2"
      name: "web.2"
      attempt { epoch: 2 n: 2 }
      agent_id: "A-bbbb"
      hostname: "a2"
      role: "eng/prod"
      state: UNREACHABLE
      reason: AGENT_UNREACHABLE
      resources { name: "cpus" scalar: 500 }
      resources { name: "mem" scalar: 134217728 }
      launched_unix_ms: 1799989200000
      running_unix_ms: 1799989200050
    }
  }
  objects {
    task {
      framework_id: "F-web"
      framework_name: "web"
      task_id: "worker"
      name: "worker"
      attempt { epoch: 2 n: 3 }
      agent_id: "A-aaaa"
      hostname: "a1"
      role: "eng"
      state: FAILED
      reason: EXITED
      message: "exited with code 3"
      exit_code: 3
      resources { name: "cpus" scalar: 1000 }
      launched_unix_ms: 1799999900000
      running_unix_ms: 1799999900040
      ended_unix_ms: 1799999940000
      unacknowledged: true
    }
  })pb";

constexpr char kOffers[] = R"pb(
  objects {
    offer {
      id { epoch: 3 n: 12 }
      framework_id: "F-web"
      framework_name: "web"
      role: "eng"
      agent_id: "A-aaaa"
      hostname: "a1"
      resources { name: "cpus" scalar: 2500 }
      resources { name: "mem" scalar: 7784628224 }
      made_unix_ms: 1799999999000
    }
  })pb";

constexpr char kRoles[] = R"pb(
  objects {
    role {
      role: "default"
      weight_thousandths: 1000
      share: 62500000000
      weighted_share: 62500000000
      frameworks: 2
      held { key: "cpus" value: 500 }
      held { key: "mem" value: 268435456 }
    }
  }
  objects {
    role {
      role: "eng"
      weight_thousandths: 2500
      share: 187500000000
      weighted_share: 75000000000
      frameworks: 1
      held { key: "cpus" value: 1500 }
      held { key: "mem" value: 671088640 }
    }
  })pb";

constexpr char kCluster[] = R"pb(
  cluster_id: "C-canned"
  version { minor: 1 }
  revision { epoch: 3 sequence: 5 }
  agents_connected: 1
  agents_unreachable: 1
  frameworks_connected: 1
  frameworks_disconnected: 2
  tasks_running: 2
  tasks_ended: 1
  offers: 1
  total { key: "cpus" value: 4000 }
  total { key: "mem" value: 8589934592 }
  total { key: "gpus" value: 2 }
  used { key: "cpus" value: 1500 }
  used { key: "mem" value: 805306368 }
  offered { key: "cpus" value: 2500 }
  started_unix_ms: 1799999400000
  longest_turn_ms: 3)pb";

constexpr char kWhyWeb[] = R"pb(
  framework_id: "F-web"
  framework_name: "web"
  summary: "web waits for room for 2 tasks: 7 of 12 agents fail at: mem"
  waiting {
    demand {
      role: "eng"
      count: 2
      shape { key: "cpus" value: 1000 }
      shape { key: "mem" value: 25769803776 }
      label: "big"
      constraints { fact: "rack" test: EQUALS values: "r1" negated: true }
    }
    unmet: 2
    agents: 12
    steps { name: "connected" passed: 11 failed: 1 }
    steps { name: "constraint" passed: 8 failed: 3 detail: "rack!=r1" }
    steps { name: "cpus" passed: 8 }
    steps { name: "mem" passed: 0 failed: 8 detail: "needs 24GiB" }
    largest_free_agent: "a7"
    largest_free { key: "cpus" value: 3000 }
    largest_free { key: "mem" value: 18468483072 }
    would_fit_if: "mem <= 17612MiB (free on a7)"
  }
  notes: "2 hungrier frameworks are served before it in role eng"
  share: 187500000000
  role_share: 187500000000)pb";

constexpr char kWhyWorker[] = R"pb(
  framework_id: "F-web"
  framework_name: "web"
  task {
    framework_id: "F-web"
    framework_name: "web"
    task_id: "worker"
    name: "worker"
    attempt { epoch: 2 n: 3 }
    agent_id: "A-aaaa"
    hostname: "a1"
    role: "eng"
    state: FAILED
    reason: EXITED
    message: "exited with code 3"
    exit_code: 3
    resources { name: "cpus" scalar: 1000 }
    running_unix_ms: 1799999900040
    ended_unix_ms: 1799999940000
  }
  summary: "task worker is FAILED on a1: exited with code 3")pb";

constexpr char kChanges[] = R"pb(
  change {
    revision { epoch: 3 sequence: 1 }
    time_unix_ms: 1799999401000
    object { agent { agent_id: "A-aaaa" hostname: "a1" state: CONNECTED } }
  }
  change {
    revision { epoch: 3 sequence: 2 }
    time_unix_ms: 1799999402000
    object { agent { agent_id: "A-aaaa" hostname: "a1" state: CONNECTED tasks: 1 } }
  }
  change {
    revision { epoch: 3 sequence: 3 }
    time_unix_ms: 1799999403250
    object {
      task {
        framework_id: "F-web"
        framework_name: "web"
        task_id: "worker"
        attempt { epoch: 2 n: 3 }
        hostname: "a1"
        state: RUNNING
      }
    }
  }
  change {
    revision { epoch: 3 sequence: 4 }
    time_unix_ms: 1799999940000
    object {
      task {
        framework_id: "F-web"
        framework_name: "web"
        task_id: "worker"
        attempt { epoch: 2 n: 3 }
        hostname: "a1"
        state: FAILED
        exit_code: 3
        message: "exited with code 3"
      }
    }
    removed: true
  }
  change {
    revision { epoch: 3 sequence: 5 }
    time_unix_ms: 1799999941000
    object { role { role: "eng" share: 187500000000 } }
  })pb";

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

}  // namespace

CannedCluster::CannedCluster() {
  char name[] = "/tmp/pfcliXXXXXX";
  CHECK(mkdtemp(name) != nullptr);
  directory_ = name;
  address_ = absl::StrCat("unix:", directory_, "/s");
  auto server = rpc::Server::Start({rpc::Address{address_, true}}, {this});
  CHECK(server.ok()) << server.status();
  server_ = *std::move(server);
}

CannedCluster::~CannedCluster() {
  server_->Shutdown(0);
  server_.reset();
  std::filesystem::remove_all(directory_);
}

std::vector<std::string> CannedCluster::TakeOrders() {
  MutexLock lock(&mutex_);
  return std::exchange(orders_, {});
}

void CannedCluster::FailWith(const grpc::Status& status) {
  MutexLock lock(&mutex_);
  failure_ = status;
}

grpc::Status CannedCluster::Order(const std::string& order) {
  MutexLock lock(&mutex_);
  if (!order.empty() && failure_.ok()) orders_.push_back(order);
  return failure_;
}

grpc::Status CannedCluster::GetCluster(grpc::ServerContext*, const v1::GetClusterRequest*,
                                       v1::Cluster* response) {
  *response = Parse<v1::Cluster>(kCluster);
  return Order("");
}

grpc::Status CannedCluster::List(grpc::ServerContext*, const v1::ListRequest* request,
                                 v1::ListResponse* response) {
  const char* text = request->kind() == v1::AGENTS       ? kAgents
                     : request->kind() == v1::FRAMEWORKS ? kFrameworks
                     : request->kind() == v1::TASKS      ? kTasks
                     : request->kind() == v1::OFFERS     ? kOffers
                                                         : kRoles;
  const auto all = Parse<v1::ListResponse>(text);
  // One object a page, so that paging is seen to be done.
  int index = request->page_token().empty() ? 0 : atoi(request->page_token().c_str());
  for (; index < all.objects_size(); ++index) {
    const v1::Object& object = all.objects(index);
    if (request->live_only() && object.task().state() == v1::FAILED) continue;
    if (!request->framework_id().empty() &&
        object.task().framework_id() + object.offer().framework_id() != request->framework_id()) {
      continue;
    }
    *response->add_objects() = object;
    break;
  }
  if (index + 1 < all.objects_size()) response->set_next_page_token(absl::StrCat(index + 1));
  return Order("");
}

grpc::Status CannedCluster::Watch(grpc::ServerContext*, const v1::WatchRequest* request,
                                  grpc::ServerWriter<v1::WatchEvent>* writer) {
  const std::string text = kChanges;
  for (size_t at = text.find("change {"); at != std::string::npos;) {
    const size_t next = text.find("change {", at + 1);
    const auto event = Parse<v1::WatchEvent>(text.substr(at, next - at));
    if (event.change().revision().sequence() > request->after().sequence()) writer->Write(event);
    at = next;
  }
  return Order("");
}

grpc::Status CannedCluster::Explain(grpc::ServerContext*, const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) {
  if (request->subject() == "worker") {
    *response = Parse<v1::ExplainResponse>(kWhyWorker);
  } else if (request->subject() == "web" || request->subject() == "F-web") {
    *response = Parse<v1::ExplainResponse>(kWhyWeb);
  } else {
    return grpc::Status(
        grpc::StatusCode::NOT_FOUND,
        absl::StrCat("no framework or task is called \"", request->subject(), "\""));
  }
  return Order("");
}

grpc::Status CannedCluster::ReadLogs(grpc::ServerContext*, const v1::ReadLogsRequest* request,
                                     grpc::ServerWriter<v1::LogChunk>* writer) {
  if (request->task_id() == "web.2") {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "agent a2 is not connected");
  }
  // Begins at offset 100: what came before was rotated away.
  const std::string text =
      request->stream() == v1::STDERR ? "a complaint\n" : "line one\nline two\nline three\n";
  const int64_t size = static_cast<int64_t>(text.size());
  int64_t from = request->offset() < 0 ? std::max<int64_t>(0, size + request->offset())
                                       : std::max<int64_t>(0, request->offset() - 100);
  for (; from < size; from += 7) {
    v1::LogChunk chunk;
    chunk.set_offset(100 + from);
    chunk.set_data(text.substr(from, 7));
    writer->Write(chunk);
  }
  return Order("");
}

grpc::Status CannedCluster::KillTask(grpc::ServerContext*, const v1::KillTaskRequest* request,
                                     v1::KillTaskResponse*) {
  return Order(
      absl::StrCat("kill ", request->framework_id(), "/", request->task_id(),
                   request->has_grace_ms() ? absl::StrCat(" ", request->grace_ms(), "ms") : ""));
}

grpc::Status CannedCluster::TeardownFramework(grpc::ServerContext*,
                                              const v1::TeardownFrameworkRequest* request,
                                              v1::TeardownFrameworkResponse*) {
  return Order(absl::StrCat("teardown ", request->framework_id()));
}

grpc::Status CannedCluster::SetRoleWeight(grpc::ServerContext*,
                                          const v1::SetRoleWeightRequest* request,
                                          v1::SetRoleWeightResponse*) {
  return Order(absl::StrCat("weight ", request->role(), " ", request->weight_thousandths()));
}

grpc::Status CannedCluster::MarkAgentGone(grpc::ServerContext*,
                                          const v1::MarkAgentGoneRequest* request,
                                          v1::MarkAgentGoneResponse*) {
  return Order(absl::StrCat("gone ", request->agent_id()));
}

}  // namespace proffer::cli
