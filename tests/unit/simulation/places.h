// Code that is compiled as simulated cores are, with places of each kind.
#pragma once

namespace proffer {

// What it does now and then, by its two places "one" and "another".
struct Did {
  bool one = false;
  bool another = false;
};
Did Act();
// Reaches "a place in the middle", in one of two ways.
void Pass(bool left);
// Holds a place of each kind; nobody calls it.
void NeverCalled();
// 2, unless the mutant "bad-sum" is in: then 3. With "worse-sum" 100 more.
int OneAndOne();

}  // namespace proffer
