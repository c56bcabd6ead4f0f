// proffer-sim: runs seeds of the simulated cluster.
//
//   proffer-sim [--first N] [--count N] [--trace]
//
// Exit codes: 0 all well, 128 something never happened that must, 129 something was
// seen that must never be. A failure prints the command that shows it again.
#include <glog/logging.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sim/life.h"

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  google::protobuf::SetLogHandler(nullptr);  // Garbage is meant to be garbage.
  unsigned long long first = 1;
  unsigned long long count = 1000;
  bool trace = false;
  for (int i = 1; i < argc; ++i) {
    const auto number = [&](unsigned long long* out) {
      if (i + 1 < argc) *out = std::strtoull(argv[++i], nullptr, 10);
    };
    if (std::strcmp(argv[i], "--first") == 0) {
      number(&first);
    } else if (std::strcmp(argv[i], "--count") == 0) {
      number(&count);
    } else if (std::strcmp(argv[i], "--trace") == 0) {
      trace = true;
    } else {
      std::fprintf(stderr, "usage: proffer-sim [--first N] [--count N] [--trace]\n");
      return 2;
    }
  }
  using proffer::sim::Verdict;
  Verdict sum;
  int mismatches = 0;
  int64_t faults = 0;
  for (unsigned long long seed = first; seed < first + count; ++seed) {
    proffer::sim::Life life;
    life.seed = seed;
    proffer::sim::Reader reader;
    if (trace) {
      reader = [](proffer::Time now, const std::string& who, const std::string& line) {
        std::fprintf(stderr, "%8lld %s %s\n", static_cast<long long>(now.ms), who.c_str(),
                     line.c_str());
      };
    }
    const Verdict verdict = proffer::sim::Live(life, reader);
    if (verdict.kind != Verdict::Kind::kOk) {
      std::printf("seed %llu: %s\n  again: proffer-sim --first %llu --count 1 --trace\n", seed,
                  verdict.sentence.c_str(), seed);
      return static_cast<int>(verdict.kind);
    }
    // One in twenty is lived twice, and must be the same.
    if (seed % 20 == 0 && proffer::sim::Live(life).fingerprint != verdict.fingerprint) {
      std::printf("seed %llu: two runs differ\n", seed);
      ++mismatches;
    }
    sum.steps += verdict.steps;
    sum.simulated_ms += verdict.simulated_ms;
    sum.tasks += verdict.tasks;
    sum.starts += verdict.starts;
    for (int i = 0; i < proffer::sim::kFaults; ++i) faults += verdict.faults[i];
    if (count >= 100 && (seed - first + 1) % (count / 10) == 0) {
      std::printf("%llu seeds: %lld simulated minutes, %lld tasks, %lld starts, %lld faults\n",
                  seed - first + 1, static_cast<long long>(sum.simulated_ms / 60'000),
                  static_cast<long long>(sum.tasks), static_cast<long long>(sum.starts),
                  static_cast<long long>(faults));
      std::fflush(stdout);
    }
  }
  if (mismatches > 0) return static_cast<int>(Verdict::Kind::kSafety);
  std::printf("%llu seeds well, %lld steps\n", count, static_cast<long long>(sum.steps));
  return 0;
}
