#include "common/metrics/exposition.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/metrics/process.h"
#include "prometheus/exposer.h"

namespace proffer::metrics {

absl::StatusOr<std::unique_ptr<Exposition>> Exposition::Start(const std::string& address) {
  // The library tells by an exception that it cannot listen; nobody else hears of it.
  try {
    return std::unique_ptr<Exposition>(
        new Exposition(std::make_unique<prometheus::Exposer>(address, /*num_threads=*/2)));
  } catch (const std::exception& why) {
    return absl::AlreadyExistsError(
        absl::StrCat("figures cannot be served on ", address, " (", why.what(),
                     "); another process may listen there: choose another port"));
  }
}

Exposition::Exposition(std::unique_ptr<prometheus::Exposer> exposer)
    : process_(std::make_shared<Process>()), exposer_(std::move(exposer)) {
  Add(process_);
}

Exposition::~Exposition() = default;

void Exposition::Add(const std::weak_ptr<prometheus::Collectable>& source) {
  exposer_->RegisterCollectable(source);
}

}  // namespace proffer::metrics
