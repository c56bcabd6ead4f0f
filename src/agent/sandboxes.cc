// Making, finding and deleting sandboxes.
#include "agent/sandboxes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "glog/logging.h"
#include "isolator/filesystem/delete_tree.h"

namespace proffer::agent {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

absl::Status Failed(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

std::vector<std::string> Names(int directory, const std::string& name) {
  std::vector<std::string> names;
  const int fd = openat(directory, name.c_str(), kDirectoryFlags);
  if (fd < 0) return names;
  DIR* stream = fdopendir(fd);
  if (stream == nullptr) {
    close(fd);
    return names;
  }
  while (const dirent* entry = readdir(stream)) {
    const std::string found = entry->d_name;
    if (found != "." && found != "..") names.push_back(found);
  }
  closedir(stream);
  return names;
}

}  // namespace

bool ParseAttempt(const std::string& text, model::AttemptId* attempt) {
  const size_t dash = text.find('-');
  return dash != std::string::npos && absl::SimpleAtoi(text.substr(0, dash), &attempt->epoch) &&
         absl::SimpleAtoi(text.substr(dash + 1), &attempt->n) && attempt->ToString() == text;
}

absl::Status MakeDirectories(const std::string& path, uint32_t mode) {
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const bool last = at == std::string::npos;
    const std::string part = last ? path : path.substr(0, at);
    if (mkdir(part.c_str(), last ? mode : 0755) != 0 && errno != EEXIST) {
      return Failed("could not make directory", part);
    }
    if (last) return absl::OkStatus();
  }
}

absl::StatusOr<std::unique_ptr<Sandboxes>> Sandboxes::Open(const std::string& work_dir,
                                                           size_t keep_ended) {
  const std::string root = absl::StrCat(work_dir, "/sandboxes");
  RETURN_IF_ERROR(MakeDirectories(root, 0755));
  const int fd = open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("could not open", root);
  return std::unique_ptr<Sandboxes>(new Sandboxes(root, fd, keep_ended));
}

Sandboxes::Sandboxes(std::string root, int root_fd, size_t keep_ended)
    : root_(std::move(root)), root_fd_(root_fd), keep_ended_(keep_ended) {
  thread_ = std::thread([this] { Run(); });
}

Sandboxes::~Sandboxes() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  thread_.join();
  close(root_fd_);
}

std::string Sandboxes::PathOf(const model::TaskKey& key, const model::AttemptId& attempt) const {
  return absl::StrCat(root_, "/", key.framework.value(), "/", key.task.value(), "/",
                      attempt.ToString());
}

void Sandboxes::OnLeft(std::function<void(const std::string&)> on_left) {
  MutexLock lock(&mutex_);
  on_left_ = std::move(on_left);
}

absl::Status Sandboxes::Make(const model::TaskKey& key, const model::AttemptId& attempt) {
  const std::string framework = key.framework.value();
  const std::string task = absl::StrCat(framework, "/", key.task.value());
  const std::string name = absl::StrCat(task, "/", attempt.ToString());
  // The directories above are removed when they are empty, which may be just now.
  bool made = false;
  for (int tries = 0; tries < 100 && !made; ++tries) {
    made = mkdirat(root_fd_, name.c_str(), 0700) == 0 || errno == EEXIST;
    if (made) break;
    if (errno != ENOENT) return Failed("could not make sandbox", name);
    mkdirat(root_fd_, framework.c_str(), 0755);
    mkdirat(root_fd_, task.c_str(), 0755);
  }
  if (!made) return Failed("could not make sandbox", name);
  return absl::OkStatus();
}

absl::StatusOr<int> Sandboxes::OpenFd(const model::TaskKey& key,
                                      const model::AttemptId& attempt) const {
  int fd = dup(root_fd_);
  for (const std::string& name : {key.framework.value(), key.task.value(), attempt.ToString()}) {
    const int next = fd < 0 ? -1 : openat(fd, name.c_str(), kDirectoryFlags);
    const int error = errno;
    if (fd >= 0) close(fd);
    fd = next;
    errno = error;
  }
  if (fd < 0) return Failed("no sandbox", PathOf(key, attempt));
  return fd;
}

absl::StatusOr<model::AttemptId> Sandboxes::NewestAttempt(const model::TaskKey& key) const {
  model::AttemptId newest;
  for (const std::string& name :
       Names(root_fd_, absl::StrCat(key.framework.value(), "/", key.task.value()))) {
    model::AttemptId attempt;
    if (ParseAttempt(name, &attempt)) newest = std::max(newest, attempt);
  }
  if (newest.valid()) return newest;
  return absl::NotFoundError(absl::StrCat("task ", key.task.value(), " of framework ",
                                          key.framework.value(), " has no sandbox here"));
}

void Sandboxes::Ended(const model::TaskKey& key, const model::AttemptId& attempt) {
  MutexLock lock(&mutex_);
  ended_.push_back({key, attempt});
  changed_.SignalAll();
}

void Sandboxes::AdoptEnded(const std::set<model::AttemptId>& live) {
  std::vector<std::pair<int64_t, Sandbox>> found;
  for (const std::string& framework : Names(root_fd_, ".")) {
    for (const std::string& task : Names(root_fd_, framework)) {
      const std::string above = absl::StrCat(framework, "/", task);
      for (const std::string& name : Names(root_fd_, above)) {
        Sandbox sandbox{{model::FrameworkId(framework), model::TaskId(task)}, {}};
        struct stat facts;
        if (!ParseAttempt(name, &sandbox.attempt) || live.count(sandbox.attempt) != 0) continue;
        if (fstatat(root_fd_, absl::StrCat(above, "/", name).c_str(), &facts,
                    AT_SYMLINK_NOFOLLOW) == 0) {
          found.emplace_back(facts.st_mtim.tv_sec, std::move(sandbox));
        }
      }
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  MutexLock lock(&mutex_);
  for (auto it = found.rbegin(); it != found.rend(); ++it) ended_.push_front(it->second);
  changed_.SignalAll();
}

void Sandboxes::Run() {
  for (;;) {
    Sandbox next;
    {
      MutexLock lock(&mutex_);
      deleting_ = false;
      changed_.SignalAll();
      while (!stopping_ && ended_.size() <= keep_ended_) changed_.Wait(&mutex_);
      if (stopping_) return;
      next = ended_.front();
      ended_.pop_front();
      deleting_ = true;
    }
    Delete(next);
  }
}

void Sandboxes::Delete(const Sandbox& sandbox) {
  const std::string framework = sandbox.key.framework.value();
  const std::string task = absl::StrCat(framework, "/", sandbox.key.task.value());
  const int parent = openat(root_fd_, task.c_str(), kDirectoryFlags);
  if (parent < 0) return;
  const std::string name = sandbox.attempt.ToString();
  const std::string left = isolator::DeleteTree(parent, name);
  close(parent);
  if (!left.empty()) {
    MutexLock lock(&mutex_);
    if (geteuid() != 0 && on_left_ != nullptr) return on_left_(absl::StrCat(task, "/", name));
    // What stays is found again at the next start of the agent.
    LOG(WARNING) << "sandbox " << task << ": " << left;
  }
  unlinkat(root_fd_, task.c_str(), AT_REMOVEDIR);
  unlinkat(root_fd_, framework.c_str(), AT_REMOVEDIR);
}

void Sandboxes::WaitUntilIdle() {
  MutexLock lock(&mutex_);
  while (deleting_ || ended_.size() > keep_ended_) changed_.Wait(&mutex_);
}

}  // namespace proffer::agent
