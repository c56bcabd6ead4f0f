#include "sim/campaign.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/simulation.h"

namespace proffer::sim {
namespace {

// One process of the campaign. It tells its parent in lines of text: "begin SEED", then "end SEED
// KIND STEPS MS TASKS STARTS TWICE FAULTS... SENTENCE", at its end "probe COUNT NAME" and "maybe
// COUNT NAME".
class Worker {
 public:
  static std::unique_ptr<Worker> Fork(const Plan& plan, int index) {
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) std::abort();
    std::fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
      close(pipe_fds[0]);
      Work(plan, index, pipe_fds[1]);
      _exit(0);
    }
    close(pipe_fds[1]);
    return std::make_unique<Worker>(pid, pipe_fds[0]);
  }
  Worker(pid_t pid, int fd) : pid_(pid), fd_(fd) {}

  int fd() const { return fd_; }
  // False: it has ended, and is reaped.
  bool Read(Tally* tally) {
    char buffer[65536];
    const ssize_t got = read(fd_, buffer, sizeof(buffer));
    if (got > 0) {
      text_.append(buffer, static_cast<size_t>(got));
      for (size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
        Take(text_.substr(0, end), tally);
      }
      return true;
    }
    close(fd_);
    int status = 0;
    waitpid(pid_, &status, 0);
    if (in_flight_ != 0 && WIFSIGNALED(status) && !ended_by_us_) {
      tally->failures.push_back({in_flight_, Failure::Kind::kCrash,
                                 absl::StrCat("it crashed: ", strsignal(WTERMSIG(status)))});
    }
    return false;
  }
  void End() {
    ended_by_us_ = true;
    kill(pid_, SIGKILL);
  }

 private:
  static void Work(const Plan& plan, int index, int fd) {
    const auto say = [fd](std::string line) {
      line += '\n';
      for (size_t at = 0; at < line.size();) {
        const ssize_t wrote = write(fd, line.data() + at, line.size() - at);
        if (wrote <= 0) _exit(1);
        at += static_cast<size_t>(wrote);
      }
    };
    if (!plan.mutant.empty() && !simulation::SwitchOn(plan.mutant)) _exit(1);
    for (size_t i = static_cast<size_t>(index); i < plan.seeds.size();
         i += static_cast<size_t>(plan.jobs)) {
      const Life life = LifeOf(plan, plan.seeds[i]);
      say(absl::StrCat("begin ", life.seed));
      Verdict verdict = Live(life);
      const bool twice = plan.twice_every > 0 && i % plan.twice_every == 0;
      if (twice && verdict.kind == Verdict::Kind::kOk &&
          Live(life).fingerprint != verdict.fingerprint) {
        verdict.kind = Verdict::Kind::kSafety;
        verdict.sentence = "two lives of the same seed differ";
      }
      std::string line = absl::StrCat("end ", life.seed, " ", static_cast<int>(verdict.kind), " ",
                                      verdict.steps, " ", verdict.simulated_ms, " ", verdict.tasks,
                                      " ", verdict.starts, " ", static_cast<int>(twice));
      for (const int64_t count : verdict.faults) absl::StrAppend(&line, " ", count);
      say(absl::StrCat(line, " ", verdict.sentence));
    }
    for (const simulation::Place& place : simulation::Probes()) {
      say(absl::StrCat("probe ", place.count, " ", place.name));
    }
    for (const simulation::Place& place : simulation::Maybes()) {
      say(absl::StrCat("maybe ", place.count, " ", place.name));
    }
  }

  void Take(const std::string& line, Tally* tally) {
    std::istringstream in(line);
    std::string word;
    in >> word;
    if (word == "begin") {
      in >> in_flight_;
    } else if (word == "end") {
      uint64_t seed = 0;
      int kind = 0;
      Tally one;
      in >> seed >> kind >> one.steps >> one.simulated_ms >> one.tasks >> one.starts >> one.twice;
      for (int64_t& count : one.faults) in >> count;
      one.lives = 1;
      if (kind != 0) {
        std::string sentence;
        std::getline(in >> std::ws, sentence);
        one.failures.push_back({seed, static_cast<Failure::Kind>(kind), sentence});
      }
      tally->Add(one);
      in_flight_ = 0;
    } else {
      int64_t count = 0;
      std::string name;
      in >> count;
      std::getline(in >> std::ws, name);
      (word == "probe" ? tally->probes : tally->maybes)[name] += count;
    }
  }

  const pid_t pid_;
  const int fd_;
  std::string text_;
  uint64_t in_flight_ = 0;
  bool ended_by_us_ = false;
};

}  // namespace

int64_t Tally::all_faults() const {
  int64_t all = 0;
  for (const int64_t count : faults) all += count;
  return all;
}

void Tally::Add(const Tally& other) {
  lives += other.lives;
  twice += other.twice;
  steps += other.steps;
  simulated_ms += other.simulated_ms;
  tasks += other.tasks;
  starts += other.starts;
  for (int i = 0; i < kFaults; ++i) faults[i] += other.faults[i];
  for (const auto& [name, count] : other.probes) probes[name] += count;
  for (const auto& [name, count] : other.maybes) maybes[name] += count;
  failures.insert(failures.end(), other.failures.begin(), other.failures.end());
}

Life LifeOf(const Plan& plan, uint64_t seed) {
  Life life = plan.life;
  life.seed = seed;
  // The core itself would notice some mistakes before a judge does.
  life.own_checks = plan.mutant.empty() || seed % 2 == 0;
  return life;
}

Tally RunCampaign(const Plan& plan, const std::function<void(const Tally&)>& progress) {
  Tally tally;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < plan.jobs; ++i) workers.push_back(Worker::Fork(plan, i));
  while (!workers.empty()) {
    std::vector<pollfd> wait;
    for (const auto& worker : workers) wait.push_back({worker->fd(), POLLIN, 0});
    poll(wait.data(), wait.size(), 1'000);
    for (size_t i = workers.size(); i-- > 0;) {
      if (wait[i].revents != 0 && !workers[i]->Read(&tally)) {
        workers.erase(workers.begin() + static_cast<ptrdiff_t>(i));
      }
    }
    if (plan.stop_early && !tally.failures.empty()) {
      for (auto& worker : workers) worker->End();
    }
    if (progress) progress(tally);
  }
  std::sort(tally.failures.begin(), tally.failures.end(),
            [](const Failure& a, const Failure& b) { return a.seed < b.seed; });
  return tally;
}

}  // namespace proffer::sim
