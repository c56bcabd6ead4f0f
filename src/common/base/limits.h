// Every bound of Proffer that is not a flag: its name, its value, its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace proffer::limits {

// Queues.
inline constexpr size_t kMailboxEvents = 65536;  // Some seconds of the core's work.
// Beyond, the stream is not read further. So few because everybody waits behind what has been read
// of all: twenty who flood a master have forty calls before one of somebody else.
inline constexpr int kUnreadEventsPerStream = 2;
inline constexpr size_t kUnreadBytesPerStream = 1u << 20;  // The same, counted in bytes.
inline constexpr size_t kStreamWriterMessages = 4096;      // A peer this far behind is cut off.
inline constexpr size_t kStreamWriterBytes = 16u << 20;    // The same, counted in bytes.
inline constexpr int64_t kAllWritersBytes = 256 << 20;     // Beyond, long queues are short ones.
inline constexpr size_t kShortQueueBytes = 256u << 10;
inline constexpr size_t kWatchers = 1000;
inline constexpr size_t kTransfers = 1000;  // Of logs, 1 MiB each on the way.
inline constexpr size_t kWatchRingDeltas = 65536;
inline constexpr size_t kWatchRingBytes = 16u << 20;

// Connections.
inline constexpr size_t kConnections = 65536;        // Some 20 KiB each, before anything is said.
inline constexpr size_t kConnectionsPerPeer = 64;    // Once half of all places are taken.
inline constexpr int64_t kConnectsPerPeer = 50;      // A second, each some tenths of a millisecond.
inline constexpr int64_t kConnectBurstSeconds = 20;  // At once, so many seconds' worth.
inline constexpr int kStreamsPerConnection = 100;    // Further calls of that client wait.
// A connection may open so many at once, and again that many a second: those that are kept open are
// few, and whoever opens more resets them, each some tenths of a millisecond for us.
inline constexpr int64_t kStreamsOpened = 2 * kStreamsPerConnection;
inline constexpr int64_t kStreamsOpenedPerSecond = 20;
// More streams than that, beyond those that clients need, are being opened faster than they can be
// ended: each is some 15 KiB until gRPC's threads have come to its end.
inline constexpr int64_t kStreamsInExcess = 10'000;
inline constexpr int64_t kStreamsOfAPeer = 2;  // More than most have.

inline constexpr size_t kSpareMemoryBytes = 32u << 20;  // Kept for the next flood; not more.

// Messages.
inline constexpr int kMessageBytes = 4 << 20;       // What one gRPC message may carry.
inline constexpr size_t kChunkBytes = 256u << 10;   // Whatever grows with the cluster is cut so.
inline constexpr size_t kRecordBytes = 256u << 10;  // One durable record.
inline constexpr size_t kMultiBytes = 512u << 10;   // One ZooKeeper request; 1 MiB cuts us off.
inline constexpr int kMetadataBytes = 8 << 10;
inline constexpr int kReadBytes = 16 << 10;  // At once, off a connection.

// Names and texts that come from outside.
inline constexpr size_t kIdBytes = 128;  // Task ids and other names that become paths.
inline constexpr size_t kRoleBytes = 256;
inline constexpr size_t kMessageTextBytes = 4096;      // Status messages kept and shown.
inline constexpr size_t kCommandBytes = 128u << 10;    // argv and env of a task together.
inline constexpr size_t kResourcesBytes = 64u << 10;   // The text form of an agent's resources.
inline constexpr size_t kAttributesBytes = 64u << 10;  // The same of its attributes.
inline constexpr size_t kPlaceBytes = 256;             // A region, a zone.

// Counts.
inline constexpr int kResourceKinds = 16;    // Distinct resource names in a cluster.
inline constexpr size_t kKindsOfDemand = 4;  // Of these, named by frameworks and no agent.
inline constexpr int kRolesPerFramework = 64;
inline constexpr size_t kRoles = 10000;  // Ever named in one epoch.
inline constexpr int kDemandShapes = 100;
inline constexpr size_t kDemandBytes = 256u << 10;  // Of a framework; everybody lists it.
inline constexpr int kFrameworks = 10000;  // Beyond, those that are away without tasks end.
inline constexpr int kTasksPerAccept = 1000;
inline constexpr int kTasksPerReconcile = 10000;
inline constexpr int kOffersPerCall = 10000;
inline constexpr int kAttributesPerAgent = 100;
inline constexpr int kConstraintsPerDemand = 32;
inline constexpr int kUpdatesPerFrameworkAndAgent = 1000;  // Unacknowledged, in flight at once.
inline constexpr int kEndedTasksPerFramework = 100;
inline constexpr int kEndedFrameworks = 100;        // Shown to people.
inline constexpr int kRemovedFrameworks = 10000;    // Whose ids are refused with the right words.
inline constexpr int kStatusesPerHeartbeat = 1000;  // Answers to a question before the next one.
inline constexpr size_t kTasksInQuestion = 500000;  // Named by a framework's open questions.
inline constexpr size_t kLogTailBytes = 64u << 10;

// Times, in milliseconds.
inline constexpr int64_t kPatienceMs = 15'000;  // For a first word, and for a message to be taken.
inline constexpr int64_t kGreetingMs = 5'000;   // Of a server: a busy machine needs its time.
inline constexpr int64_t kIdleConnectionMs = 300'000;  // Clients open another when they need it.
inline constexpr int64_t kRefusalDefaultMs = 5'000;
inline constexpr int64_t kRefusalMaxMs = 3'600'000;
inline constexpr int64_t kKillGraceDefaultMs = 5'000;
inline constexpr int64_t kKillGraceMaxMs = 3'600'000;
inline constexpr int64_t kFailoverTimeoutDefaultMs = int64_t{7} * 24 * 3600 * 1000;
inline constexpr int64_t kEphemeralFailoverMs = 10'000;  // A framework with durable=false.
inline constexpr int64_t kCrumbHoldMs = 10'000;
inline constexpr int64_t kUpdateResendMinMs = 10'000;
inline constexpr int64_t kUpdateResendMaxMs = 60'000;
inline constexpr int64_t kLongestSleepMs = 1'000;  // Between turns, so that a late one is noticed.
// Without a word for so many heartbeats a scheduler is cut off; clients give up after three.
inline constexpr int kSilentHeartbeats = 6;
inline constexpr int64_t kLateTurnMs = 1'000;  // A turn this late moves liveness deadlines.

}  // namespace proffer::limits
