// Where a cluster of `proffer dev` lives: a private directory, stamped with who made it.
//
//   <base>/lock         held while places are claimed and cleaned
//   <base>/<n>/lock     held as long as the cluster runs
//   <base>/<n>/dev.pid  the process that runs it
//   <base>/<n>/m/s      the master's socket
//   <base>/<n>/l        the launchers' configurations and sockets
//   <base>/<n>/run      what agents keep while they run
//   <base>/<n>/state    registry, work directories and logs; a link when they are to be kept
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/context.h"
#include "cli/dev/process.h"

namespace proffer::cli {

// $XDG_RUNTIME_DIR/proffer-dev, else /tmp/proffer-dev-<uid>.
std::string DevBase(const Context& context);

// A cluster that runs, or whose process died without cleaning up.
struct DevPlace {
  int number = 0;
  std::string directory;
  bool running = false;
  ProcessStamp process;

  std::string master() const { return "unix:" + directory + "/m/s"; }
  std::string state() const { return directory + "/state"; }
};
std::vector<DevPlace> FindDevPlaces(const std::string& base);

class ClaimedPlace {
 public:
  // Removes what dead ones have left (`removed` says what), then takes a free number. `keep` is
  // empty, or where the state shall stay.
  static absl::StatusOr<std::unique_ptr<ClaimedPlace>> Claim(const std::string& base,
                                                             const std::string& keep,
                                                             std::vector<std::string>* removed);
  // Ends and removes everything but what is to be kept.
  ~ClaimedPlace();

  const DevPlace& place() const { return place_; }

 private:
  ClaimedPlace(std::string base, DevPlace place, int lock);

  const std::string base_;
  const DevPlace place_;
  const int lock_;
};

// Everything that belongs to the cluster in `directory`.
Belongings BelongingsOf(const DevPlace& place);

}  // namespace proffer::cli
