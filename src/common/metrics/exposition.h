// Figures for Prometheus, served as text at http://ADDRESS/metrics.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "prometheus/collectable.h"

namespace prometheus {
class Exposer;
}

namespace proffer::metrics {

// THREAD: any.
class Exposition {
 public:
  // `address`: "host:port", on loopback, because anybody who reaches it can read it. Serves the
  // figures of the process itself at once. INVALID_ARGUMENT, ALREADY_EXISTS (the port is taken).
  static absl::StatusOr<std::unique_ptr<Exposition>> Start(const std::string& address);
  ~Exposition();

  // From now on what this collects is served too, as long as somebody else holds it. Collect is
  // called on threads of the exposition, possibly several at once.
  void Add(const std::weak_ptr<prometheus::Collectable>& source);

 private:
  explicit Exposition(std::unique_ptr<prometheus::Exposer> exposer);

  const std::shared_ptr<prometheus::Collectable> process_;
  const std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace proffer::metrics
