#include "common/fs/leveldb_log.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace proffer {
namespace {

// The format (LevelDB's doc/log_format.md): blocks of 32 KiB; in them records of a header (masked
// CRC-32C of type and payload, length, type; little-endian) and a payload.
constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;

std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}

// CRC-32C taken forward byte by byte.
class Crc {
 public:
  void Take(char byte) {
    static const std::array<uint32_t, 256> table = MakeCrcTable();
    state_ = table[(state_ ^ static_cast<unsigned char>(byte)) & 0xff] ^ (state_ >> 8);
  }
  // As LevelDB stores it.
  uint32_t Masked() const {
    const uint32_t crc = ~state_;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  }

 private:
  uint32_t state_ = 0xffffffffu;
};

uint32_t ReadU32(absl::string_view in) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(in[i]);
  return value;
}

// Whether the checksum of the record that begins here fits some length that is really there.
bool FitsSomeLength(absl::string_view record) {
  const uint32_t stored = ReadU32(record);
  Crc crc;
  for (size_t i = kHeaderBytes - 1; i < record.size(); ++i) {
    crc.Take(record[i]);
    if (crc.Masked() == stored) return true;
  }
  return false;
}

absl::Status CannotRead(const std::string& path, const leveldb::Status& why) {
  return absl::UnavailableError(absl::StrCat("read ", path, ": ", why.ToString()));
}

// None if there is no such directory.
absl::StatusOr<std::vector<std::string>> Children(leveldb::Env* env, const std::string& directory) {
  std::vector<std::string> names;
  const leveldb::Status read = env->GetChildren(directory, &names);
  if (!read.ok() && !read.IsNotFound()) return CannotRead(directory, read);
  return names;
}

}  // namespace

absl::Status CheckLevelDbLog(absl::string_view bytes) {
  // Anywhere but in the last block LevelDB itself reports a length that leads too far.
  if (bytes.size() % kBlockBytes == 0) return absl::OkStatus();
  absl::string_view block = bytes.substr(bytes.size() / kBlockBytes * kBlockBytes);
  while (block.size() >= kHeaderBytes) {
    const size_t length =
        static_cast<unsigned char>(block[4]) | static_cast<unsigned char>(block[5]) << 8;
    if (kHeaderBytes + length > block.size()) {
      if (!FitsSomeLength(block)) return absl::OkStatus();  // Cut short by a crash.
      return absl::DataLossError(absl::StrCat("the length of a record at byte ",
                                              bytes.size() - block.size(),
                                              " is damaged; restore the store from a backup"));
    }
    block.remove_prefix(kHeaderBytes + length);
  }
  return absl::OkStatus();
}

absl::Status CheckLevelDbFiles(leveldb::Env* env, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Children(env, directory));
  bool log = false;
  bool table = false;
  for (const std::string& name : names) {
    log |= absl::EndsWith(name, ".log");
    table |= absl::EndsWith(name, ".ldb");
  }
  const auto missing = [&directory](absl::string_view what) {
    return absl::DataLossError(
        absl::StrCat(directory, "/", what,
                     " is missing, and other files of the store are there; restore the store from "
                     "a backup, or remove the directory to begin anew"));
  };
  std::string current;
  const std::string path = directory + "/CURRENT";
  const leveldb::Status read = leveldb::ReadFileToString(env, path, &current);
  // LevelDB would take one that it cannot see for a store that is to be made.
  if (!read.ok() && !read.IsNotFound()) return CannotRead(path, read);
  const std::string manifest = current.substr(0, current.find('\n'));
  if (manifest.empty()) return log || table ? missing("CURRENT") : absl::OkStatus();
  if (!env->FileExists(absl::StrCat(directory, "/", manifest))) return missing(manifest);
  // The first manifest is replaced once the first log is there.
  if (!log && (table || manifest != "MANIFEST-000001")) return missing("*.log");
  return absl::OkStatus();
}

absl::Status CheckLevelDbLogs(leveldb::Env* env, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, Children(env, directory));
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, ".log") && !absl::StartsWith(name, "MANIFEST-")) continue;
    const std::string path = absl::StrCat(directory, "/", name);
    std::string bytes;
    if (const leveldb::Status read = leveldb::ReadFileToString(env, path, &bytes); !read.ok()) {
      return CannotRead(path, read);
    }
    if (absl::Status status = CheckLevelDbLog(bytes); !status.ok()) {
      return absl::DataLossError(absl::StrCat(path, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace proffer
