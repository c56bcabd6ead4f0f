// Implementation of random_model.h.
#include "unit/convert/random_model.h"

#include <limits>
#include <memory>

#include "unit/values/random_values.h"

namespace proffer::convert {
namespace {

// Numbers as wire formats stumble over them: ends, neighbours of powers of two, small ones.
template <typename T>
T RandomNumber(Prng* prng) {
  using Limits = std::numeric_limits<T>;
  switch (prng->Below(6)) {
    case 0:
      return 0;
    case 1:
      return Limits::max();
    case 2:
      return Limits::min();
    case 3:
      return static_cast<T>((uint64_t{1} << prng->Below(64)) - prng->Below(3));
    case 4:
      return static_cast<T>(prng->Below(100));
    default:
      return static_cast<T>(prng->Next());
  }
}

template <typename E>
E RandomEnum(Prng* prng, int least, int most) {
  return static_cast<E>(prng->Between(least, most));
}

int64_t RandomAmount(Prng* prng) {
  return static_cast<int64_t>(RandomNumber<uint64_t>(prng) >> 1);  // Never negative.
}

std::string RandomId(Prng* prng) {
  return prng->Word(static_cast<int>(prng->Between(1, 20))) + (prng->Chance(1, 3) ? "._-" : "");
}

}  // namespace

std::string RandomUtf8(Prng* prng, int64_t most) {
  std::string text;
  for (int64_t i = prng->Between(0, most); i > 0; --i) AppendRandomCharacter(prng, &text);
  return text;
}

void Fill(Prng* prng, bool* out) { *out = prng->Chance(1, 2); }
void Fill(Prng* prng, int32_t* out) { *out = RandomNumber<int32_t>(prng); }
void Fill(Prng* prng, uint32_t* out) { *out = RandomNumber<uint32_t>(prng); }
void Fill(Prng* prng, int64_t* out) { *out = RandomNumber<int64_t>(prng); }
void Fill(Prng* prng, uint64_t* out) { *out = RandomNumber<uint64_t>(prng); }
void Fill(Prng* prng, std::string* out) { *out = RandomUtf8(prng, 20); }
void Fill(Prng* prng, Resources* out) { *out = RandomResources(prng, 5); }
void Fill(Prng* prng, Attributes* out) { *out = RandomAttributes(prng); }
void Fill(Prng* prng, Constraints* out) {
  out->clear();
  for (uint64_t i = prng->Below(4); i > 0; --i) out->push_back(RandomConstraint(prng));
}
void Fill(Prng* prng, Quantities* out) {
  *out = Quantities();
  for (const char* name : {"cpus", "mem", "ports", "x_1.y-z"}) {
    if (prng->Chance(1, 2)) out->Set(name, RandomAmount(prng));
  }
}
void Fill(Prng* prng, model::Payload* out) {
  v1::TaskPayload payload;
  for (uint64_t i = prng->Below(4); i > 0; --i) {
    payload.mutable_command()->add_argv(RandomUtf8(prng, 9));
    (*payload.mutable_labels())[RandomUtf8(prng, 5)] = RandomUtf8(prng, 5);
  }
  if (prng->Chance(1, 2)) payload.mutable_command()->set_user(RandomUtf8(prng, 9));
  *out = std::make_shared<const std::string>(payload.SerializeAsString());
}

void Fill(Prng* prng, model::TaskState* out) {
  *out = RandomEnum<model::TaskState>(prng, 0, model::kTaskStateMax);
}
void Fill(Prng* prng, model::TaskReason* out) {
  *out = RandomEnum<model::TaskReason>(prng, 0, model::kTaskReasonMax);
}
void Fill(Prng* prng, model::StatusSource* out) {
  *out = RandomEnum<model::StatusSource>(prng, 0, 3);
}
void Fill(Prng* prng, model::Refusal* out) {
  *out = RandomEnum<model::Refusal>(prng, 0, model::kRefusalMax);
}
void Fill(Prng* prng, model::DeclineReason* out) {
  *out = RandomEnum<model::DeclineReason>(prng, 0, model::kDeclineReasonMax);
}
void Fill(Prng* prng, model::AgentChanged::Change* out) {
  *out = RandomEnum<model::AgentChanged::Change>(prng, 0, 3);
}
void Fill(Prng* prng, master::AgentRecord::State* out) {
  *out = RandomEnum<master::AgentRecord::State>(prng, 1, 3);
}

void Settle(Prng* prng, model::TaskSpec* out) {
  out->id = model::TaskId(RandomId(prng));
  if (out->name.empty()) out->name = out->id.value();
  for (int64_t* ms : {&out->kill_grace_ms, &out->max_run_time_ms, &out->stop_after_disconnect_ms}) {
    *ms = RandomAmount(prng);
  }
}
void Settle(Prng* prng, model::Demand* out) { out->count = RandomAmount(prng); }
void Settle(Prng* prng, model::Kill* out) { out->task = model::TaskId(RandomId(prng)); }
void Settle(Prng* prng, model::Reconcile::Task* out) { out->task = model::TaskId(RandomId(prng)); }

}  // namespace proffer::convert
