// The protocol between an agent and its shims, and the files a shim leaves behind.
//
// The most frozen protocol of all: a shim lives as long as its task, so every version ever shipped
// must be spoken by every later agent. Numbers are only ever added; fields are only ever appended
// to a body, and a reader takes a missing one as 0 and ignores what follows those it knows.
//
// A frame is  u8 version, u8 type, u16 zero, u32 length of the body, body;  everything is
// little-endian, texts are u32 length and bytes, lists u32 count and items.
//
// In the attempt's run directory:
//   started   made exclusively and locked (flock) by the shim before it does anything, so that an
//             attempt is never started twice; locked means: the shim lives
//   sock      where the shim listens for a later agent
//   exit      the last frame it would send (kEnded or kLaunchFailed); made by rename
// In the sandbox:
//   stdout, stdout.1, ...      the newest output, the one before, ...; likewise stderr
//   .stdout.offset             see LogOffset
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace proffer::shim {

inline constexpr uint8_t kWireVersion = 1;
inline constexpr size_t kFrameHeaderBytes = 8;
inline constexpr uint32_t kMaxBodyBytes = 1u << 20;

enum class Type : uint8_t {
  // To the shim.
  kPlan = 1,     // Only as the first frame on the inherited descriptor.
  kHello = 2,    // Of a later agent; answered by what there is to say: kStarted, kEnded, ...
  kKill = 3,     // i64 grace_ms. A later one may only shorten the time.
  kRelease = 4,  // The end has been taken in; the shim may go.
  // From the shim.
  kStarted = 65,       // i64 pid.
  kLaunchFailed = 66,  // Text: why. The program never ran.
  kEnded = 67,         // See Ended. Nothing of the task lives any more.
  kTaken = 68,         // Another shim has this attempt; this one has done nothing and goes.
};

inline constexpr char kStartedFile[] = "started";
inline constexpr char kSocketFile[] = "sock";
inline constexpr char kExitFile[] = "exit";
// Where the shim finds the connection to the agent that spawned it.
inline constexpr int kInheritedFd = 3;

// What ended the task; the first cause wins. The numbers are those of agent::EndCause.
enum class Cause : uint8_t { kItself = 0, kKilled = 1, kMaxRunTime = 2, kDisconnected = 3 };

struct Ended {
  Cause cause = Cause::kItself;
  bool signalled = false;
  int32_t code = 0;  // The exit code, or the signal.
};

struct Limit {
  int32_t resource = 0;  // RLIMIT_*
  uint64_t soft = 0;
  uint64_t hard = 0;
};

// Everything that the shim is to do. It checks nothing: whoever made the plan has.
struct Plan {
  std::string run_dir;  // Absolute; exists.
  std::string sandbox;  // Absolute; exists.
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // "NAME=value".
  std::string working_directory;         // Absolute.
  std::string path;                      // Where argv[0] is looked for if it has no slash.
  bool switch_user = false;
  std::string user;  // Its name, for messages.
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  std::vector<Limit> limits;
  uint64_t log_file_bytes = 0;           // A log file is rotated when it has that many.
  uint32_t log_files = 0;                // Kept, the newest included; at least 1.
  int64_t kill_grace_ms = 0;             // Of the ends that the shim itself decides.
  int64_t max_run_time_ms = 0;           // 0: none.
  int64_t stop_after_disconnect_ms = 0;  // Of silence of the agent; 0: never.
};

// Where the file "stdout" begins, counted from the task's first byte. Written in place at every
// rotation, `before` first and `after` last: a reader that sees two different or odd numbers, or
// others after it has opened the files than before, reads again.
struct LogOffset {
  uint64_t before = 0;
  uint64_t base = 0;
  uint64_t after = 0;
};

std::string EncodeFrame(Type type, const std::string& body);
std::string EncodePlan(const Plan& plan);  // The body of kPlan.
bool DecodePlan(const std::string& body, Plan* plan);
std::string EncodeEnded(const Ended& ended);
bool DecodeEnded(const std::string& body, Ended* ended);
std::string EncodeInt64(int64_t value);  // The body of kKill and kStarted.
bool DecodeInt64(const std::string& body, int64_t* value);

struct Frame {
  uint8_t version = 0;
  Type type = Type::kPlan;
  std::string body;
};
enum class Parsed { kFrame, kIncomplete, kBroken };
// Takes one frame from the front of `buffer`.
Parsed TakeFrame(std::string* buffer, Frame* frame);

}  // namespace proffer::shim
