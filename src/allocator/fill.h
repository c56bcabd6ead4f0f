// One call of Allocate: rounds of progressive filling until nothing more is to be had.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "allocator/books.h"
#include "allocator/contest.h"

namespace proffer::allocator {

class Fill {
 public:
  Fill(Books* books, Time now, std::vector<Grant>* grants);

  void Run();

 private:
  // A grant of this call; others of the same agent and client are found along the chains.
  struct Made {
    ClientIndex client;
    uint32_t before_on_agent;
    uint32_t before_of_client;
  };
  // What could be given in one step.
  struct Step {
    AgentIndex agent;
    Amounts amounts;
    int64_t shapes = 0;
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kFewAgents = 8;
  static constexpr uint32_t kMisfitRows = 4096;
  static constexpr int64_t kCrumbsPerClient = 64;
  static constexpr int kStepShift = 10;

  void Round();
  void Gather();
  void GatherByAgent();
  bool HasWork(ClientIndex client) const;
  // Looks at what is free only: what else may stand in the way is found out when serving.
  bool CouldUse(const Client& client, AgentIndex agent) const;
  bool NothingLeft();
  // Gives the client one shape, or one bounded grant. False if there is nothing for it.
  bool Serve(ClientIndex client);
  bool FindStep(ClientIndex client, Want* want, Step* step);
  bool FindStepOnGranted(ClientIndex client, Want* want, Step* step);
  static int64_t StepShapes(const Want& want, const Agent& agent, const Amounts& free);
  bool Fits(ClientIndex client, const Want& want, AgentIndex agent, Step* step);
  void Give(ClientIndex client, Want* want, const Step& step);

  bool MayKeepCrumbs(const Client& client) const;
  bool CouldUseWhenEmpty(const Client& client, AgentIndex agent) const;
  void KeepCrumbs(ClientIndex client);

  // Bits of the agents worth a look by the client, whatever its wants forbid.
  uint64_t Candidates(const Client& client, bool fresh, size_t word) const;
  size_t WordAt(size_t position) const { return (first_word_ + position) % words_; }
  uint32_t FindGrant(ClientIndex client, AgentIndex agent) const;
  uint32_t MisfitRow(const Amounts& shape);

  Books& books_;
  const Time now_;
  std::vector<Grant>& grants_;
  const size_t first_grant_;
  std::vector<Made> made_;
  std::vector<uint32_t> last_on_agent_;   // Index into made_, by agent.
  std::vector<uint32_t> last_of_client_;  // The same by client.

  // Of the round.
  Contest contest_;
  BitRow changed_;
  std::vector<AgentIndex> changed_agents_;  // Those that are open, in the order of the round.
  std::vector<uint32_t> changed_words_;     // Positions with a changed agent.
  std::vector<ClientIndex> stirred_;
  BitRow members_;
  size_t words_ = 1;
  size_t first_word_ = 0;
  size_t open_from_ = 0;   // No agent is open at positions before this.
  bool only_few_ = false;  // Members came for changed_agents_ only, and these are few.
  bool crumbs_kept_ = false;
  int64_t looks_for_crumbs_ = 0;

  // Agents on which a shape is known not to fit: what is free only shrinks in a round.
  absl::flat_hash_map<Amounts, uint32_t> misfit_ids_;
  std::vector<BitRow> misfits_;
};

}  // namespace proffer::allocator
