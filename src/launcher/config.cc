#include "launcher/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "isolator/process/capability.h"

namespace proffer::launcher {
namespace {

std::string Trim(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool ParseUid(const std::string& text, uint32_t* uid) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return false;
  errno = 0;
  const uint64_t value = strtoull(text.c_str(), nullptr, 10);
  if (errno != 0 || value >= UINT32_MAX) return false;
  *uid = static_cast<uint32_t>(value);
  return true;
}

bool ParseUsers(const std::string& text, Config* config) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "any") {
      config->users.emplace_back(0, UINT32_MAX - 1);
      continue;
    }
    const size_t dash = word.find('-');
    uint32_t first = 0;
    uint32_t last = 0;
    if (!ParseUid(word.substr(0, dash), &first)) return false;
    if (dash == std::string::npos) {
      last = first;
    } else if (!ParseUid(word.substr(dash + 1), &last) || last < first) {
      return false;
    }
    config->users.emplace_back(first, last);
  }
  return !config->users.empty();
}

bool IsCleanPath(const std::string& path) {
  if (path.empty() || path[0] != '/' || path.size() > 200) return false;
  return path.find("/../") == std::string::npos && path.find("//") == std::string::npos &&
         (path.size() < 3 || path.compare(path.size() - 3, 3, "/..") != 0) && path.back() != '/';
}

bool IsCleanGroup(const std::string& path) {
  return !path.empty() && path.size() <= 100 && path[0] != '/' && path.back() != '/' &&
         path.find("..") == std::string::npos && path.find("//") == std::string::npos;
}

// What a setting expects, if it does not get it.
std::string Take(const std::string& key, const std::string& value, Config* config) {
  const auto path = [&value](std::string* to) -> std::string {
    if (!IsCleanPath(value)) return "an absolute path without \"..\", \"//\" or a slash at its end";
    *to = value;
    return "";
  };
  if (key == "socket") return path(&config->socket);
  if (key == "run_root") return path(&config->run_root);
  if (key == "sandbox_root") return path(&config->sandbox_root);
  if (key == "agent_uid") return ParseUid(value, &config->agent_uid) ? "" : "the number of a user";
  if (key == "users") {
    return ParseUsers(value, config) ? "" : "numbers, ranges like 1000-59999, or any";
  }
  if (key == "cgroup_root") {
    if (!IsCleanGroup(value)) return "a path below the trees of cgroups, like proffer";
    config->cgroup_root = value;
    return "";
  }
  if (key == "isolation") {
    config->posix_only = value == "posix";
    return value == "posix" || value == "auto" ? "" : "auto or posix";
  }
  if (key == "unified") {
    config->use_unified = value == "yes";
    return value == "yes" || value == "no" ? "" : "yes or no";
  }
  if (key == "capabilities") {
    std::istringstream words(value);
    for (std::string word; words >> word;) {
      const int number = isolator::CapabilityNumber(word);
      if (number < 0) return "names of capabilities like NET_BIND_SERVICE";
      config->capabilities |= uint64_t{1} << number;
    }
    return "";
  }
  return "one of socket, agent_uid, run_root, sandbox_root, cgroup_root, isolation, unified, "
         "users, "
         "capabilities as the name of the setting";
}

}  // namespace

std::string ParseConfig(const std::string& text, Config* config) {
  *config = {};
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = Trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    const std::string expected =
        equals == std::string::npos
            ? "NAME = VALUE"
            : Take(Trim(line.substr(0, equals)), Trim(line.substr(equals + 1)), config);
    if (!expected.empty()) {
      return "line " + std::to_string(number) + ": expected " + expected + ", found \"" + line +
             "\"";
    }
  }
  for (const auto& [name, value] :
       {std::pair<const char*, const std::string*>{"socket", &config->socket},
        {"run_root", &config->run_root},
        {"sandbox_root", &config->sandbox_root}}) {
    if (value->empty()) return std::string("the setting ") + name + " is missing";
  }
  if (config->users.empty()) return "the setting users is missing";
  return "";
}

std::string ReadConfig(const std::string& path, Config* config) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  struct stat facts = {};
  if (fd < 0 || fstat(fd, &facts) != 0) return path + ": " + strerror(errno);
  std::string text;
  char buffer[4096];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof(buffer))) > 0 && text.size() < (1u << 20)) {
    text.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  if (got < 0) return path + ": " + strerror(errno);
  if (facts.st_uid != 0 && facts.st_uid != geteuid()) {
    return path + ": it belongs to user " + std::to_string(facts.st_uid) +
           "; expected root, or who runs the launcher";
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return path + ": others than its owner can write it; run chmod go-w " + path;
  }
  const std::string why = ParseConfig(text, config);
  return why.empty() ? "" : path + ": " + why;
}

}  // namespace proffer::launcher
