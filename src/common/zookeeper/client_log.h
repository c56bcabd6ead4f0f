// What ZooKeeper's C client has to say, in our log.
#pragma once

namespace proffer::zk {

// How the client hands over a line. Its trouble is a warning at most every ten seconds, because it
// repeats itself with every attempt to connect, and Session says what it amounts to; the rest is
// there with --v=1.
void LogOfClient(const char* line);

// Once before the first handle: the client writes no more than would be logged.
void SetClientLogLevel();

}  // namespace proffer::zk
