// Random values of every model type: all that the protocol can carry, within the rules that the
// conversions check.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/base/prng.h"
#include "unit/convert/fields.h"

namespace proffer::convert {

// Valid UTF-8 of up to `most` characters, of one to four bytes each.
std::string RandomUtf8(Prng* prng, int64_t most);

void Fill(Prng* prng, bool* out);
void Fill(Prng* prng, int32_t* out);
void Fill(Prng* prng, uint32_t* out);
void Fill(Prng* prng, int64_t* out);  // The ends of the range are frequent.
void Fill(Prng* prng, uint64_t* out);
void Fill(Prng* prng, std::string* out);
void Fill(Prng* prng, Resources* out);
void Fill(Prng* prng, Attributes* out);
void Fill(Prng* prng, Constraint* out) = delete;
void Fill(Prng* prng, Constraints* out);
void Fill(Prng* prng, Quantities* out);
void Fill(Prng* prng, model::Payload* out);

void Fill(Prng* prng, model::TaskState* out);
void Fill(Prng* prng, model::TaskReason* out);
void Fill(Prng* prng, model::StatusSource* out);
void Fill(Prng* prng, model::Refusal* out);
void Fill(Prng* prng, model::DeclineReason* out);
void Fill(Prng* prng, model::AgentChanged::Change* out);
void Fill(Prng* prng, master::AgentRecord::State* out);

// What the conversions demand of a value, done to one whose fields are random.
template <typename T>
void Settle(Prng*, T*) {}
void Settle(Prng* prng, model::TaskSpec* out);
void Settle(Prng* prng, model::Demand* out);
void Settle(Prng* prng, model::Kill* out);
void Settle(Prng* prng, model::Reconcile::Task* out);

template <typename Tag>
void Fill(Prng* prng, StrongId<Tag>* out) {
  *out = StrongId<Tag>(RandomUtf8(prng, 12));
}

// Fills the arm of that number.
template <size_t kArm = 0, typename V>
void FillArm(Prng* prng, size_t arm, V* out);

template <typename T>
void Fill(Prng* prng, T* out) {
  if constexpr (HasFields<T>) {
    std::apply([prng](auto&... field) { (Fill(prng, &field), ...); }, Fields(*out));
    Settle(prng, out);
  } else if constexpr (kIsVector<T>) {
    out->resize(prng->Below(4));
    for (auto& item : *out) Fill(prng, &item);
  } else if constexpr (kIsOptional<T>) {
    out->reset();
    if (prng->Chance(1, 2)) Fill(prng, &out->emplace());
  } else {
    static_assert(kIsVariant<T>);
    FillArm(prng, prng->Below(std::variant_size_v<T>), out);
  }
}

template <size_t kArm, typename V>
void FillArm(Prng* prng, size_t arm, V* out) {
  if constexpr (kArm < std::variant_size_v<V>) {
    if (arm == kArm) {
      Fill(prng, &out->template emplace<kArm>());
    } else {
      FillArm<kArm + 1>(prng, arm, out);
    }
  }
}

template <typename T>
T Random(Prng* prng) {
  T value;
  Fill(prng, &value);
  return value;
}

}  // namespace proffer::convert
