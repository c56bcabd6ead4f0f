#include "unit/simulation/places.h"

#include "common/base/simulation.h"

namespace proffer {

Did Act() {
  Did did;
  did.one = MAYBE("one");
  if (MAYBE("another")) did.another = true;
  return did;
}

void Pass(bool left) {
  if (left) {
    REACHED("a place in the middle");
  } else {
    REACHED("a place in the middle");
  }
  REACHED("an end");
}

void NeverCalled() {
  REACHED("a place where nobody comes");
  if (MAYBE("never")) REACHED("a place where nobody comes");
  if (MUTANT("unused")) REACHED("a place where nobody comes");
}

int OneAndOne() {
  const int sum = MUTANT("bad-sum") ? 3 : 2;
  if (MUTANT("worse-sum")) return sum + 100;
  return sum;
}

}  // namespace proffer
