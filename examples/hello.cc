// Runs one task on the cluster, prints what it printed, and exits as it did.
#include <iostream>

#include "proffer/framework.h"
#include "proffer/units.h"

int main(int argc, char** argv) {
  using namespace proffer::literals;
  auto framework = proffer::Framework::FromArgs(argc, argv, {.name = "hello"});
  auto task = proffer::Task{"hello"}.Command("echo hello from $(hostname)").Cpus(0.1).Mem(32_MiB);
  const proffer::Result result = framework->Submit(task).Wait();
  std::cout << result.Stdout().value_or("");
  if (!result.ok()) std::cerr << result.state << ": " << result.message << "\n";
  return result.ExitStatus();
}
