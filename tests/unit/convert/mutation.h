// Damage for messages: to their bytes, as a bad peer or a bad disk does it, and to their fields,
// as a peer that follows the format and nothing else does it.
#pragma once

#include <string>

#include "common/base/prng.h"
#include "google/protobuf/message.h"

namespace proffer::convert {

// Flips, inserts, deletes, duplicates and cuts; sometimes nests a hundred levels deep.
void DamageBytes(Prng* prng, std::string* bytes);

// Sets one random field, anywhere in the message, to something extreme: an unknown enumerator, an
// end of the range of a number, an empty or very long text, many copies of an item, nothing.
void DamageField(Prng* prng, google::protobuf::Message* message);

}  // namespace proffer::convert
