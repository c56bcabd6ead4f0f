// How large a grant may be when the framework did not say what it wants.
#pragma once

#include "allocator/books.h"

namespace proffer::allocator {

// What `client` may be granted of the agent: all that is reserved for it, and of the unreserved
// the part that brings its role to its weighted fair share among the hungry; at least a
// sixteenth and the minimum allocatable; twice as much for each grant it declined whole. Zero if
// there is less than the minimum. `reserved_only`: the unreserved is not for this client.
// REQUIRES: the client is hungry.
Amounts BoundedGrant(const Books& books, ClientIndex client, const Agent& agent,
                     bool reserved_only);

}  // namespace proffer::allocator
