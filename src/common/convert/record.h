// The envelope of every durable record: type, version, length-checked payload and CRC, so that a
// flipped bit or a record of another world is named instead of believed.
//
// Layout: "PR1" | u8 type length | type | u32 version | u32 crc32 of (type, version, payload) |
// payload; little-endian.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer::convert {

std::string SealRecord(absl::string_view type, uint32_t version, absl::string_view payload);

struct OpenedRecord {
  std::string type;
  uint32_t version = 0;
  std::string payload;
};
// DATA_LOSS, naming `key`, when the envelope or the CRC is wrong.
absl::StatusOr<OpenedRecord> OpenRecord(absl::string_view key, absl::string_view bytes);

}  // namespace proffer::convert
