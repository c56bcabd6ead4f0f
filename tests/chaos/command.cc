#include "chaos/command.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_join.h"

extern char** environ;

namespace proffer::chaos {

bool RunCommand(const std::vector<std::string>& words, const std::string& input,
                std::string* output) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Files in memory: no pipe that could fill up while nobody reads.
  const int in = memfd_create("in", MFD_CLOEXEC);
  const int out = memfd_create("out", MFD_CLOEXEC);
  PCHECK(write(in, input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  lseek(in, 0, SEEK_SET);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, out, 2);
  pid_t pid = 0;
  CHECK_EQ(posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ), 0) << words[0];
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  PCHECK(waitpid(pid, &status, 0) == pid);
  const off_t size = lseek(out, 0, SEEK_END);
  output->resize(static_cast<size_t>(size));
  PCHECK(pread(out, output->data(), output->size(), 0) == size);
  close(in);
  close(out);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string MustRun(const std::vector<std::string>& words, const std::string& input) {
  std::string output;
  CHECK(RunCommand(words, input, &output)) << absl::StrJoin(words, " ") << ": " << output;
  return output;
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace proffer::chaos
