// State stores in a file and in memory.
//
// The file: a line "proffer-state 1", a line "key=value" for each entry with '%', '=', line ends
// and other control characters as %XX, and a line "end N" with the number of entries.
#include "proffer/state_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "sdk/replace_file.h"

namespace proffer {
namespace {

constexpr char kFirstLine[] = "proffer-state 1";

std::string Escape(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '%' || c == '=') {
      absl::StrAppend(&escaped, "%", absl::Hex(byte, absl::kZeroPad2));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::optional<std::string> Unescape(absl::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return std::nullopt;
    }
    plain += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return plain;
}

void Apply(const std::vector<StateChange>& changes, std::map<std::string, std::string>* entries) {
  for (const StateChange& change : changes) {
    if (change.value) {
      (*entries)[change.key] = *change.value;
    } else {
      entries->erase(change.key);
    }
  }
}

std::string Print(const std::map<std::string, std::string>& entries) {
  std::string text = absl::StrCat(kFirstLine, "\n");
  for (const auto& [key, value] : entries) {
    absl::StrAppend(&text, Escape(key), "=", Escape(value), "\n");
  }
  absl::StrAppend(&text, "end ", entries.size(), "\n");
  return text;
}

absl::StatusOr<std::map<std::string, std::string>> ParseFile(const std::string& path,
                                                             std::ifstream& file) {
  const auto damaged = [&](int number, absl::string_view expected, const std::string& found) {
    return absl::DataLossError(absl::StrCat(path, ":", number, ": expected ", expected,
                                            ", found \"", found,
                                            "\"; restore the file, or remove it to begin anew"));
  };
  std::map<std::string, std::string> entries;
  std::string line;
  std::getline(file, line);
  if (line != kFirstLine) return damaged(1, absl::StrCat("\"", kFirstLine, "\""), line);
  for (int number = 2; std::getline(file, line); ++number) {
    absl::string_view text = line;
    size_t count = 0;
    if (absl::ConsumePrefix(&text, "end ") && absl::SimpleAtoi(text, &count)) {
      if (count != entries.size()) {
        return damaged(number, absl::StrCat("\"end ", entries.size(), "\""), line);
      }
      return entries;
    }
    const size_t equals = line.find('=');
    if (equals == std::string::npos) return damaged(number, "key=value", line);
    std::optional<std::string> key = Unescape(absl::string_view(line).substr(0, equals));
    std::optional<std::string> value = Unescape(absl::string_view(line).substr(equals + 1));
    if (!key || !value) return damaged(number, "two hexadecimal digits after each %", line);
    entries[*std::move(key)] = *std::move(value);
  }
  return absl::DataLossError(
      absl::StrCat(path,
                   ": the last line (\"end\") is missing; restore the file, or remove it to "
                   "begin anew"));
}

}  // namespace

FileStateStore::FileStateStore(std::string path) : path_(std::move(path)) {}

FileStateStore::~FileStateStore() {
  if (lock_fd_ >= 0)
    close(lock_fd_);  // The lock goes with it; the file stays, or two could hold it.
}

absl::StatusOr<std::map<std::string, std::string>> FileStateStore::Load() {
  const std::string lock = path_ + ".lock";
  if (lock_fd_ < 0) lock_fd_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) {
    return absl::PermissionDeniedError(absl::StrCat("cannot open ", lock, ": ", strerror(errno)));
  }
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "another process uses ", path_, "; a framework runs once with one state file"));
  }
  std::ifstream file(path_);
  if (!file) {
    if (access(path_.c_str(), F_OK) == 0) {
      return absl::PermissionDeniedError(absl::StrCat("cannot read ", path_));
    }
    entries_.clear();
    return entries_;
  }
  ASSIGN_OR_RETURN(entries_, ParseFile(path_, file));
  return entries_;
}

absl::Status FileStateStore::Write(const std::vector<StateChange>& changes) {
  Apply(changes, &entries_);
  return sdk::ReplaceFile(path_, Print(entries_));
}

absl::Status MemoryStateStore::Write(const std::vector<StateChange>& changes) {
  Apply(changes, &entries_);
  return absl::OkStatus();
}

}  // namespace proffer
