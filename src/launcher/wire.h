// The protocol between an agent, its launcher and its shims, and the files a shim leaves behind.
//
// The most frozen protocol of all: a shim lives as long as its task, so every version ever shipped
// must be spoken by every later agent. Numbers are only ever added; fields are only ever appended
// to a body, and a reader takes a missing one as 0 and ignores what follows those it knows.
//
// The agent asks the launcher on the launcher's socket; an order to launch carries a descriptor,
// one end of a socket pair, that becomes the shim's connection to the agent. From then on the two
// talk without the launcher, which may end and come back.
//
// A frame is  u8 version, u8 type, u16 zero, u32 length of the body, body;  everything is
// little-endian, texts are u32 length and bytes, lists u32 count and items.
//
// In the attempt's run directory:
//   started   made exclusively and locked (flock) by the shim before it does anything, so that an
//             attempt is never started twice; locked means: the shim lives. Not empty: an agent has
//             made it, so that no shim may, and nothing was ever started
//   sock      where the shim listens for a later agent
//   exit      the last frame it would send (kEnded or kLaunchFailed); made by rename
// In the sandbox:
//   stdout, stdout.1, ...      the newest output, the one before, ...; likewise stderr
//   .stdout.offset             see LogOffset
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "isolator/launch_plan.h"

namespace proffer::launcher {

inline constexpr uint8_t kWireVersion = 1;
inline constexpr size_t kFrameHeaderBytes = 8;
inline constexpr uint32_t kMaxBodyBytes = 1u << 20;

enum class Type : uint8_t {
  // To the shim. (1 was the plan, before launchers.)
  kHello = 2,    // Of a later agent; answered by what there is to say: kStarted, kEnded, ...
  kKill = 3,     // i64 grace_ms. A later one may only shorten the time.
  kRelease = 4,  // The end has been taken in; the shim may go.
  // From the shim.
  kStarted = 65,       // i64 pid.
  kLaunchFailed = 66,  // Text: why. The program never ran.
  kEnded = 67,         // See Ended. Nothing of the task lives any more.
  kTaken = 68,         // Another shim has this attempt; this one has done nothing and goes.
  // To the launcher. Each begins with the u64 number of the request, which its answer repeats.
  kLaunch = 33,   // A plan, and a descriptor beside it. Answered only if refused.
  kDestroy = 34,  // Text: the container. Kills all it has and removes its cgroups.
  kListContainers = 35,
  kDeleteSandbox = 36,  // Text: a sandbox, relative to the root of them.
  // From the launcher.
  kWelcome = 97,      // The first frame on every connection. See Welcome.
  kRefused = 98,      // Text: why. Nothing was done.
  kDone = 99,         // Text: what is left all the same, or "".
  kContainers = 100,  // Texts: the containers that have cgroups.
};

inline constexpr char kStartedFile[] = "started";
inline constexpr char kSocketFile[] = "sock";
inline constexpr char kExitFile[] = "exit";

// What ended the task; the first cause wins. The numbers are those of agent::EndCause.
enum class Cause : uint8_t {
  kItself = 0,
  kKilled = 1,
  kMaxRunTime = 2,
  kDisconnected = 3,
  kMemoryLimit = 4,  // The kernel killed something in the container for want of memory.
};

struct Ended {
  Cause cause = Cause::kItself;
  bool signalled = false;
  int32_t code = 0;  // The exit code, or the signal.
  // Of its control groups; 0 without.
  uint64_t cpu_us = 0;
  uint64_t memory_peak_bytes = 0;
  uint64_t memory_limit_bytes = 0;
  std::string left;  // What could not be cleaned up and is left, or "".
};

// What a launcher can do.
struct Welcome {
  uint32_t version = kWireVersion;
  bool root = false;
  uint8_t cgroup_kind = 0;               // isolator::CgroupKind; 0: containers get none.
  std::vector<std::string> cgroup_dirs;  // Of cpu, cpuacct, memory, pids, freezer, unified, or "".
  std::string cgroup_root;               // Below each of them.
  std::string why_not;                   // Why containers are not isolated, or "".
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
// The body of kLaunch.
std::string EncodeLaunch(uint64_t request, const isolator::LaunchPlan& plan);
bool DecodeLaunch(const std::string& body, uint64_t* request, isolator::LaunchPlan* plan);
// The body of every other request and answer: one text, or several.
std::string EncodeRequest(uint64_t request, const std::string& text);
bool DecodeRequest(const std::string& body, uint64_t* request, std::string* text);
std::string EncodeTexts(uint64_t request, const std::vector<std::string>& texts);
bool DecodeTexts(const std::string& body, uint64_t* request, std::vector<std::string>* texts);
std::string EncodeWelcome(const Welcome& welcome);
bool DecodeWelcome(const std::string& body, Welcome* welcome);
std::string EncodeEnded(const Ended& ended);
bool DecodeEnded(const std::string& body, Ended* ended);
std::string EncodeInt64(int64_t value);  // The body of kKill and kStarted.
bool DecodeInt64(const std::string& body, int64_t* value);

struct Frame {
  uint8_t version = 0;
  Type type = Type::kHello;
  std::string body;
};
enum class Parsed { kFrame, kIncomplete, kBroken };
// Takes one frame from the front of `buffer`.
Parsed TakeFrame(std::string* buffer, Frame* frame);

}  // namespace proffer::launcher
