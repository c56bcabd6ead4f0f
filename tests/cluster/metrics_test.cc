// The figures of real daemons, as Prometheus would fetch them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/loopback.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::FreePort;
using ::testing::HasSubstr;
using testing::Loopback;
using testing::MiniCluster;
using ::testing::Not;

std::string Fetch(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string answer;
  char some[4096];
  for (ssize_t got; (got = read(fd, some, sizeof(some))) > 0;) answer.append(some, got);
  close(fd);
  const size_t body = answer.find("\r\n\r\n");
  return body == std::string::npos ? "" : answer.substr(body + 4);
}

void ExpectTakenByPromtool(const MiniCluster& cluster, const std::string& text) {
  const std::string file = cluster.directory() + "/metrics";
  std::ofstream(file) << text;
  if (std::system("command -v promtool > /dev/null") != 0) return;
  EXPECT_EQ(std::system(absl::StrCat("promtool check metrics < ", file).c_str()), 0);
}

TEST(MetricsTest, FiguresSayWhatHasHappenedInAFormThatPrometheusTakes) {
  const int port = FreePort();
  MiniCluster cluster({.agents = 2,
                       .resources = "cpus:4;mem:2GiB",
                       .master_flags = {absl::StrCat("--metrics=127.0.0.1:", port)}});
  auto framework = *Framework::Start({.name = "f", .master = cluster.address()});
  for (int i = 0; i < 3; ++i) {
    const auto task = Task{absl::StrCat("t", i)}.Command(i == 0 ? "exit 4" : "true").Cpus(0.1);
    framework->Submit(Task(task).Mem(16_MiB)).Wait();
  }
  cluster.WaitUntil(v1::AGENTS, [&cluster](const auto&) { return cluster.AllFree(); });
  cluster.WaitUntil(v1::TASKS, [](const std::vector<v1::Object>& tasks) {
    return std::none_of(tasks.begin(), tasks.end(),
                        [](const v1::Object& o) { return o.task().unacknowledged(); });
  });
  const std::string text = Fetch(port);
  for (const char* line :
       {"\nproffer_leading 1\n", "\nproffer_epoch 1\n", "\nproffer_agents{state=\"connected\"} 2\n",
        "\nproffer_agents{state=\"unreachable\"} 0\n",
        "\nproffer_frameworks{state=\"connected\"} 1\n", "\nproffer_tasks_launched_total 3\n",
        "\nproffer_tasks_ended_total{state=\"failed\",reason=\"exited\"} 1\n",
        "\nproffer_tasks_ended_total{state=\"finished\",reason=\"none\"} 2\n",
        "\nproffer_tasks_unacknowledged 0\n", "\nproffer_launch_seconds_count 3\n",
        "\nproffer_resources{kind=\"cpus\",is=\"total\"} 8\n",
        "\nproffer_resources{kind=\"mem\",is=\"used\"} 0\n", "\nprocess_max_fds "}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  ExpectTakenByPromtool(cluster, text);
}

TEST(MetricsTest, AnAgentCountsWhatItsTasksCameTo) {
  const int port = FreePort();
  MiniCluster cluster({.agents = 1,
                       .resources = "cpus:4;mem:2GiB",
                       .agent_flags = {absl::StrCat("--metrics=127.0.0.1:", port)}});
  auto framework = *Framework::Start({.name = "f", .master = cluster.address()});
  int n = 0;
  for (const char* command : {"true", "exit 4", "kill -9 $$"}) {
    framework->Submit(Task{absl::StrCat("t", n++)}.Command(command).Cpus(0.1).Mem(16_MiB)).Wait();
  }
  const std::string text = Fetch(port);
  for (const char* line :
       {"\nproffer_agent_registered 1\n", "\nproffer_agent_registrations_total 1\n",
        "\nproffer_agent_tasks_running 0\n", "\nproffer_agent_launches_total 3\n",
        "\nproffer_agent_ends_total{cause=\"finished\"} 1\n",
        "\nproffer_agent_ends_total{cause=\"exit_code\"} 1\n",
        "\nproffer_agent_ends_total{cause=\"signal\"} 1\n",
        "\nproffer_agent_ends_total{cause=\"memory_limit\"} 0\n",
        "\nproffer_agent_launch_seconds_count 3\n", "\nprocess_max_fds "}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("proffer_agent_record_seconds_count 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("proffer_agent_turn_seconds_count 0\n")));
  ExpectTakenByPromtool(cluster, text);
}

}  // namespace
}  // namespace proffer
