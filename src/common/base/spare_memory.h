// Memory that malloc keeps in its arenas though nobody uses it: after a flood that is most of what
// a process has, and would be for ever.
#pragma once

#include <cstddef>

namespace proffer {

// Gives it back to the system when it is more than `most` bytes. Takes some milliseconds then, in
// which other threads may wait for memory.
void GiveBackSpareMemory(size_t most);

}  // namespace proffer
