#include "sim/judges/judges.h"

#include <memory>
#include <utility>

#include "sim/judges/amnesia.h"
#include "sim/judges/frameworks.h"
#include "sim/judges/leadership.h"
#include "sim/judges/partitions.h"
#include "sim/judges/promises.h"
#include "sim/judges/reconciliation.h"
#include "sim/judges/registry.h"
#include "sim/judges/resources.h"
#include "sim/judges/tasks.h"
#include "sim/judges/updates.h"

namespace proffer::sim {

void AddJudges(Cluster* cluster) {
  Observers& observers = cluster->observers();
  World* world = &cluster->world();
  auto truth = std::make_unique<Truth>();
  auto streams = std::make_unique<Streams>();
  const Truth* t = truth.get();
  const Streams* s = streams.get();
  // First, so that judges find there what they are being shown.
  observers.Add(std::move(truth));
  observers.Add(std::move(streams));
  observers.Add(std::make_unique<Leadership>(world, t, s));
  observers.Add(std::make_unique<Amnesia>(world, t, s));
  observers.Add(std::make_unique<RegistryJudge>(world, t, s));
  observers.Add(std::make_unique<Tasks>(world, t, s));
  std::set<std::string> users;
  for (const auto& user : cluster->users()) {
    // One with a short failover timeout may still lose its framework to a change of leaders.
    if (user->failover_timeout_ms == 0) users.insert(user->name);
  }
  observers.Add(std::make_unique<Updates>(world, t, s, std::move(users)));
  observers.Add(
      std::make_unique<OffersJudge>(world, t, s,
                                    OffersJudge::Limits{cluster->master_options().offer_timeout_ms,
                                                        cluster->master_options().most_offers}));
  observers.Add(std::make_unique<Reconciliation>(world, t, s));
  observers.Add(std::make_unique<FrameworksJudge>(world, t, s));
  observers.Add(std::make_unique<Partitions>(world, t, s, cluster->master_options()));
  observers.Add(std::make_unique<Promises>(world, t, s, &cluster->users()));
}

}  // namespace proffer::sim
