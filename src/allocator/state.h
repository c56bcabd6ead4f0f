// What is behind an Allocator.
#pragma once

#include "allocator/allocator.h"
#include "allocator/books.h"

namespace proffer::allocator {

class Allocator::State {
 public:
  explicit State(const Options& options) : books(options) {}

  Books books;
};

}  // namespace proffer::allocator
