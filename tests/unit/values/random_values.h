// Random values of every shape the model allows, for the property tests.
#pragma once

#include <string>

#include "common/base/prng.h"
#include "proffer/constraints.h"
#include "proffer/resources.h"

namespace proffer {

// One character of Unicode as UTF-8, of one to four bytes.
void AppendRandomCharacter(Prng* prng, std::string* text);
// Any UTF-8, with a liking for those that the text forms use themselves.
std::string RandomText(Prng* prng, int least, int most);
Ranges RandomRanges(Prng* prng);
// Any resource that keeps the rules. Names, roles and sizes come from small pools, so that kinds
// meet each other often.
Resource RandomResource(Prng* prng);
// Up to `most` of them; those that do not go together with the ones before are left out.
Resources RandomResources(Prng* prng, int most);
// Something contained in `whole`; often a part of an item rather than all of it.
Resources RandomPart(Prng* prng, const Resources& whole);
Attributes RandomAttributes(Prng* prng);
Constraint RandomConstraint(Prng* prng);

}  // namespace proffer
