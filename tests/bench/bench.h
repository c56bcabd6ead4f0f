// A small harness for benchmarks: names, parameters, one value each, as a table and as JSON.
//
//   int main(int argc, char** argv) {
//     bench::Report report(argc, argv);
//     if (report.Wants("core/echo")) {
//       report.Add("core/echo", {{"bytes", 100}}, bench::MedianMs(9, [&] { ... }), "ms");
//     }
//     return report.Finish();
//   }
//
// Arguments: [NAME...] runs only benchmarks whose name contains one of them; `--json FILE` adds
// the results to the list in FILE (made if it is missing); `--list` prints names only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace proffer::bench {

using Params = std::vector<std::pair<std::string, int64_t>>;

class Report {
 public:
  Report(int argc, char** argv);

  // False when it was not asked for.
  bool Wants(const std::string& name);
  void Add(const std::string& name, const Params& params, double value, const std::string& unit);
  // Writes the file if there is one. The exit code of the program.
  int Finish();

 private:
  std::vector<std::string> wanted_;
  std::string json_path_;
  bool list_ = false;
  std::vector<std::string> rows_;  // As JSON objects.
};

// CPU time of this thread, which a busy neighbour disturbs least.
double ThreadCpuMs();

// The median of `runs` measured calls. `prepare` is called before each and not measured.
double MedianMs(int runs, const std::function<void()>& prepare, const std::function<void()>& run);

// Bytes that malloc has handed out and not got back.
int64_t HeapBytes();

// Keeps the compiler from throwing away what is measured.
template <typename T>
void Keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace proffer::bench
