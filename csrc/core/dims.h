// Dims: the sizes or strides of a tensor; up to five live inline, so small tensors need no heap.
// IntList: a borrowed view of such numbers, used for arguments.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace pt {

using IntList = std::span<const int64_t>;
inline constexpr int kMaxDims = 64;

class Dims {
 public:
  static constexpr int kInline = 5;

  Dims() : size_(0) {}
  explicit Dims(int n) { reset(n); }
  Dims(int n, int64_t value) {
    reset(n);
    for (int i = 0; i < n; ++i) data()[i] = value;
  }
  Dims(IntList v) { assign(v.data(), static_cast<int>(v.size())); }  // NOLINT: implicit by design
  Dims(std::initializer_list<int64_t> v) { assign(v.begin(), static_cast<int>(v.size())); }
  Dims(const std::vector<int64_t>& v) { assign(v.data(), static_cast<int>(v.size())); }
  Dims(const Dims& o) { assign(o.data(), o.size_); }
  Dims(Dims&& o) noexcept : size_(o.size_) { steal(o); }
  Dims& operator=(const Dims& o) {
    if (this != &o) {
      release();
      assign(o.data(), o.size_);
    }
    return *this;
  }
  Dims& operator=(Dims&& o) noexcept {
    if (this != &o) {
      release();
      size_ = o.size_;
      steal(o);
    }
    return *this;
  }
  ~Dims() { release(); }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const int64_t* data() const { return size_ <= kInline ? inline_ : heap_; }
  int64_t* data() { return size_ <= kInline ? inline_ : heap_; }
  int64_t operator[](int i) const { return data()[i]; }
  int64_t& operator[](int i) { return data()[i]; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  int64_t back() const { return data()[size_ - 1]; }
  operator IntList() const { return {data(), static_cast<size_t>(size_)}; }  // NOLINT

  void resize(int n, int64_t fill = 0) {
    if (n == size_) return;
    Dims next(n, fill);
    std::memcpy(next.data(), data(), sizeof(int64_t) * static_cast<size_t>(n < size_ ? n : size_));
    *this = std::move(next);
  }
  void insert(int at, int64_t value) {
    Dims next(size_ + 1);
    for (int i = 0, j = 0; i <= size_; ++i) next[i] = i == at ? value : (*this)[j++];
    *this = std::move(next);
  }
  void erase(int at) {
    Dims next(size_ - 1);
    for (int i = 0, j = 0; i < size_; ++i)
      if (i != at) next[j++] = (*this)[i];
    *this = std::move(next);
  }
  void push_back(int64_t value) { insert(size_, value); }

  friend bool operator==(const Dims& a, const Dims& b) {
    return a.size_ == b.size_ &&
           std::memcmp(a.data(), b.data(), sizeof(int64_t) * static_cast<size_t>(a.size_)) == 0;
  }

 private:
  void reset(int n) {
    size_ = n;
    if (n > kInline) heap_ = new int64_t[static_cast<size_t>(n)];
  }
  void assign(const int64_t* v, int n) {
    reset(n);
    int64_t* d = data();
    if (n <= kInline) {
      for (int i = 0; i < n; ++i) d[i] = v[i];
    } else {
      std::memcpy(d, v, sizeof(int64_t) * static_cast<size_t>(n));
    }
  }
  void steal(Dims& o) {
    if (size_ <= kInline) {
      for (int i = 0; i < kInline; ++i) inline_[i] = o.inline_[i];
    } else {
      heap_ = o.heap_;
    }
    o.size_ = 0;
  }
  void release() {
    if (size_ > kInline) delete[] heap_;
  }

  int size_;
  union {
    int64_t inline_[kInline];
    int64_t* heap_;
  };
};

// "[2, 3]": the form of sizes in PyTorch's messages.
std::string to_text(IntList v);
inline std::string to_text(const Dims& v) { return to_text(IntList(v)); }

// "torch.Size([2, 3])"
inline std::string torch_size_text(IntList v) { return "torch.Size(" + to_text(v) + ")"; }

// Row-major strides of `sizes`; empty dimensions count as one, as in PyTorch.
Dims contiguous_strides(IntList sizes);
// Product of sizes; raises for negative sizes and for overflow of int64.
int64_t checked_numel(IntList sizes);
bool same(IntList a, IntList b);
// Wraps a negative dimension; IndexError "Dimension out of range (expected to be in range of
// [-2, 1], but got 5)". A 0-dim tensor accepts -1 and 0.
int wrap_dim(int64_t dim, int ndim, bool wrap_scalar = true);
// Shape of the broadcast of a and b; RuntimeError with PyTorch's wording when they do not fit.
Dims broadcast_shapes(IntList a, IntList b);

}  // namespace pt
