// The table, the JSON file, the clock.
#include "bench/bench.h"

#include <malloc.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace proffer::bench {

Report::Report(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--list") {
      list_ = true;
    } else if (argument == "--json" && i + 1 < argc) {
      json_path_ = argv[++i];
    } else if (absl::StartsWith(argument, "-")) {
      std::fprintf(stderr, "usage: %s [NAME...] [--json FILE] [--list]\n", argv[0]);
      std::exit(2);
    } else {
      wanted_.push_back(argument);
    }
  }
}

bool Report::Wants(const std::string& name) {
  if (list_) {
    std::puts(name.c_str());
    return false;
  }
  return wanted_.empty() || std::any_of(wanted_.begin(), wanted_.end(), [&](const auto& wanted) {
           return absl::StrContains(name, wanted);
         });
}

void Report::Add(const std::string& name, const Params& params, double value,
                 const std::string& unit) {
  const std::string shown = absl::StrJoin(params, " ", [](std::string* out, const auto& param) {
    absl::StrAppend(out, param.first, "=", param.second);
  });
  std::printf("%-24s %-56s %12.4f %s\n", name.c_str(), shown.c_str(), value, unit.c_str());
  std::fflush(stdout);
  const std::string json = absl::StrJoin(params, ", ", [](std::string* out, const auto& param) {
    absl::StrAppend(out, "\"", param.first, "\": ", param.second);
  });
  rows_.push_back(absl::StrFormat(R"({"name": "%s", "params": {%s}, "value": %.6g, "unit": "%s"})",
                                  name, json, value, unit));
}

int Report::Finish() {
  if (json_path_.empty() || rows_.empty()) return 0;
  std::string before;
  if (std::ifstream in(json_path_); in) {
    std::stringstream text;
    text << in.rdbuf();
    before = std::string(absl::StripAsciiWhitespace(text.str()));
  }
  if (before.empty()) before = "[]";
  if (before.front() != '[' || before.back() != ']') {
    std::fprintf(stderr, "%s is not a list of results\n", json_path_.c_str());
    return 1;
  }
  before.pop_back();
  before = std::string(absl::StripTrailingAsciiWhitespace(before));
  const bool first = before == "[";
  std::ofstream out(json_path_);
  out << before << (first ? "\n  " : ",\n  ") << absl::StrJoin(rows_, ",\n  ") << "\n]\n";
  out.close();
  if (!out) std::fprintf(stderr, "cannot write %s\n", json_path_.c_str());
  return out ? 0 : 1;
}

double ThreadCpuMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double MedianMs(int runs, const std::function<void()>& prepare, const std::function<void()>& run) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    prepare();
    const double start = ThreadCpuMs();
    run();
    times.push_back(ThreadCpuMs() - start);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

int64_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

}  // namespace proffer::bench
