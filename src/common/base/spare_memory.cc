#include "common/base/spare_memory.h"

#include <malloc.h>

namespace proffer {

void GiveBackSpareMemory(size_t most) {
  if (mallinfo2().fordblks > most) malloc_trim(0);
}

}  // namespace proffer
