#include "common/convert/record.h"

#include <zlib.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace proffer::convert {
namespace {

constexpr char kMagic[] = "PR1";
constexpr size_t kMagicBytes = 3;

void AppendU32(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

uint32_t ReadU32(const char* in) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(in[i]);
  return value;
}

uint32_t Crc(absl::string_view type, uint32_t version, absl::string_view payload) {
  uLong crc = crc32(0, nullptr, 0);
  const auto update = [&crc](absl::string_view bytes) {
    crc = crc32(crc, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  };
  std::string number;
  AppendU32(version, &number);
  update(type);
  update(number);
  update(payload);
  return static_cast<uint32_t>(crc);
}

absl::Status Damaged(absl::string_view key, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("record \"", key, "\" is damaged: ", what, "; restore the store from a backup"));
}

}  // namespace

std::string SealRecord(absl::string_view type, uint32_t version, absl::string_view payload) {
  std::string out(kMagic, kMagicBytes);
  out.push_back(static_cast<char>(type.size()));
  out.append(type.data(), type.size());
  AppendU32(version, &out);
  AppendU32(Crc(type, version, payload), &out);
  out.append(payload.data(), payload.size());
  return out;
}

absl::StatusOr<OpenedRecord> OpenRecord(absl::string_view key, absl::string_view bytes) {
  if (bytes.size() < kMagicBytes + 1 || bytes.substr(0, kMagicBytes) != kMagic) {
    return Damaged(key, "it does not begin as a record");
  }
  const size_t type_bytes = static_cast<unsigned char>(bytes[kMagicBytes]);
  const size_t header = kMagicBytes + 1 + type_bytes + 8;
  if (bytes.size() < header) return Damaged(key, "it is cut short");
  OpenedRecord record;
  record.type = std::string(bytes.substr(kMagicBytes + 1, type_bytes));
  const char* numbers = bytes.data() + kMagicBytes + 1 + type_bytes;
  record.version = ReadU32(numbers);
  record.payload = std::string(bytes.substr(header));
  if (ReadU32(numbers + 4) != Crc(record.type, record.version, record.payload)) {
    return Damaged(key, "its checksum is wrong");
  }
  return record;
}

}  // namespace proffer::convert
