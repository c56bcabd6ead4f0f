// A value that copies share until one of them changes it. Makes a copy of the allocator cheap
// although its refusals take a hundred megabytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace proffer::allocator {

// THREAD: different copies may be used by different threads at once.
template <typename T>
class Cow {
 public:
  Cow() = default;
  ~Cow() { Drop(); }
  Cow(const Cow& other) : cell_(other.cell_) {
    if (cell_ != nullptr) cell_->sharers.fetch_add(1, std::memory_order_relaxed);
  }
  Cow(Cow&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  Cow& operator=(Cow other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }

  const T& operator*() const { return cell_ != nullptr ? cell_->value : Empty(); }
  const T* operator->() const { return &**this; }

  // For changing. Copies the value first if it is shared.
  T& Own() {
    if (cell_ == nullptr) {
      cell_ = new Cell();
    } else if (cell_->sharers.load(std::memory_order_acquire) > 1) {
      Cell* const copy = new Cell{cell_->value};
      Drop();
      cell_ = copy;
    }
    return cell_->value;
  }
  void Reset() { Drop(); }

 private:
  struct Cell {
    T value;
    std::atomic<int32_t> sharers{1};
  };

  static const T& Empty() {
    static const T* const empty = new T();
    return *empty;
  }
  void Drop() {
    if (cell_ != nullptr && cell_->sharers.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete cell_;
    }
    cell_ = nullptr;
  }

  Cell* cell_ = nullptr;  // Null: a T() of its own.
};

}  // namespace proffer::allocator
