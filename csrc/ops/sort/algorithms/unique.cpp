// Groups of equal elements or rows. The sorted forms find the order first; the groups are then
// runs of equal neighbours in that order.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "ops/sort/algorithms/entry_sort.h"
#include "ops/sort/algorithms/sorting.h"

namespace pt {
namespace {

using namespace sorting;

// Three-way comparison of rows of `width` elements by their keys.
template <class T>
int compare_rows(const T* a, const T* b, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const auto x = SortKey<T>::encode(a[i], 0), y = SortKey<T>::encode(b[i], 0);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

// Equality as the == operator has it: a NaN differs from everything.
template <class T>
bool same(T a, T b) {
  if constexpr (is_half(dtype_of<T>)) {
    const auto x = SortKey<T>::encode(a, 0), y = SortKey<T>::encode(b, 0);
    return x == y && !SortKey<T>::is_nan(x, 0);
  } else {
    return a == b;
  }
}

// Positions at which a new group starts, where differs(p) says whether the element at position p is
// not equal to the one before it: counted per chunk, then written at each chunk's offset.
template <class Differs>
Buffer<int64_t> group_starts(int64_t n, Differs&& differs) {
  constexpr int64_t kChunk = 1 << 15;
  if (n == 0) return Buffer<int64_t>(0);
  std::vector<int64_t> offsets(static_cast<size_t>((n + kChunk - 1) / kChunk + 1), 0);
  parallel_for(0, n, kChunk, [&](int64_t begin, int64_t end) {
    int64_t count = begin == 0;
    for (int64_t p = std::max<int64_t>(begin, 1); p < end; ++p) count += differs(p);
    offsets[static_cast<size_t>(begin / kChunk + 1)] = count;
  });
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  Buffer<int64_t> starts(offsets.back());
  parallel_for(0, n, kChunk, [&](int64_t begin, int64_t end) {
    constexpr int64_t kBatch = 256;  // so that the last, uncounted write stays inside
    int64_t batch[kBatch];
    int64_t* to = starts.get() + offsets[static_cast<size_t>(begin / kChunk)];
    if (begin == 0) *to++ = 0;
    for (int64_t p = std::max<int64_t>(begin, 1); p < end;) {
      const int64_t stop = std::min(end, p + kBatch);
      int64_t count = 0;
      for (; p < stop; ++p) {
        batch[count] = p;
        count += differs(p);
      }
      to = std::copy(batch, batch + count, to);
    }
  });
  return starts;
}

template <class T>
Buffer<int64_t> element_group_starts(const T* data, int64_t n) {
  return group_starts(n, [data](int64_t p) { return !same(data[p - 1], data[p]); });
}

// item(p) is the index of the row at position p.
template <class T, class Item>
Buffer<int64_t> row_group_starts(const T* data, int64_t n, int64_t width, Item&& item) {
  return group_starts(n, [&](int64_t p) {
    const T* a = data + item(p - 1) * width;
    return !std::equal(a, a + width, data + item(p) * width, same<T>);
  });
}

// values[g] = source[position(g)] for elements of kBytes, or `bytes` if kBytes is 0.
template <size_t kBytes, class Position>
void gather(char* values, const char* source, int64_t bytes, int64_t begin, int64_t end,
            Position&& position) {
  const size_t size = kBytes ? kBytes : static_cast<size_t>(bytes);
  for (int64_t g = begin; g < end; ++g) {
    std::memcpy(values + g * static_cast<int64_t>(size),
                source + position(g) * static_cast<int64_t>(size), size);
  }
}

// inverse[p] = g for the positions p of groups [begin, end). Most groups are short: a few numbers
// are written without asking for the length, and what is too many is overwritten by later groups.
template <class End>
void number_groups(int64_t* inverse, int64_t begin, int64_t end, int64_t limit,
                   const int64_t* starts, End&& group_end) {
  constexpr int64_t kAtOnce = 4;
  for (int64_t g = begin; g < end; ++g) {
    int64_t p = starts[g];
    if (p + kAtOnce <= limit) {
      for (int64_t i = 0; i < kAtOnce; ++i) inverse[p + i] = g;
      p += kAtOnce;
    }
    for (const int64_t stop = group_end(g); p < stop; ++p) inverse[p] = g;
  }
}

}  // namespace

UniquePlan UniquePlan::sorted(DType dtype, const void* source, int64_t n, bool inverse) {
  UniquePlan plan(source, n, static_cast<int64_t>(item_size(dtype)));
  plan.sorted_ = Buffer<char>(n * plan.bytes_);
  if (inverse) plan.order_ = Buffer<int64_t>(n);
  SortArgs args;
  args.dtype = dtype, args.n = n;
  args.source = {source, {}};
  args.values = {plan.sorted_.get(), {}};
  args.indices = {plan.order_.get(), {}};
  sort_rows(args);
  visit_dtype(dtype, [&]<class T>(T) {
    plan.starts_ = element_group_starts(reinterpret_cast<const T*>(plan.sorted_.get()), n);
  });
  return plan;
}

UniquePlan UniquePlan::consecutive(DType dtype, const void* source, int64_t n) {
  UniquePlan plan(source, n, static_cast<int64_t>(item_size(dtype)));
  visit_dtype(dtype, [&]<class T>(T) {
    plan.starts_ = element_group_starts(static_cast<const T*>(source), n);
  });
  return plan;
}

UniquePlan UniquePlan::sorted_rows(DType dtype, const void* source, int64_t n, int64_t width) {
  UniquePlan plan(source, n, width * static_cast<int64_t>(item_size(dtype)));
  visit_dtype(dtype, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source);
    plan.order_ = Buffer<int64_t>(n);
    int64_t* order = plan.order_.get();
    std::iota(order, order + n, int64_t{0});
    std::stable_sort(order, order + n, [&](int64_t a, int64_t b) {
      return compare_rows(data + a * width, data + b * width, width) < 0;
    });
    plan.starts_ = row_group_starts(data, n, width, [order](int64_t p) { return order[p]; });
  });
  return plan;
}

UniquePlan UniquePlan::consecutive_rows(DType dtype, const void* source, int64_t n, int64_t width) {
  UniquePlan plan(source, n, width * static_cast<int64_t>(item_size(dtype)));
  visit_dtype(dtype, [&]<class T>(T) {
    plan.starts_ =
        row_group_starts(static_cast<const T*>(source), n, width, [](int64_t p) { return p; });
  });
  return plan;
}

void UniquePlan::write(void* values, int64_t* inverse, int64_t* counts) const {
  constexpr int64_t kGroupsPerTask = 1 << 14;
  const bool from_sorted = sorted_.get() != nullptr;
  const char* source = from_sorted ? sorted_.get() : source_;
  char* to = static_cast<char*>(values);
  const auto position = [&](int64_t g) { return from_sorted ? starts_[g] : item(starts_[g]); };
  const auto group_end = [&](int64_t g) { return g + 1 < count() ? starts_[g + 1] : n_; };
  parallel_for(0, count(), kGroupsPerTask, [&](int64_t begin, int64_t end) {
    if (values && bytes_ == 4) {
      gather<4>(to, source, bytes_, begin, end, position);
    } else if (values && bytes_ == 8) {
      gather<8>(to, source, bytes_, begin, end, position);
    } else if (values) {
      gather<0>(to, source, bytes_, begin, end, position);
    }
    for (int64_t g = begin; counts && g < end; ++g) counts[g] = group_end(g) - starts_[g];
    if (inverse && order_.get() == nullptr) {
      number_groups(inverse, begin, end, group_end(end - 1), starts_.get(), group_end);
    } else if (inverse) {
      for (int64_t g = begin; g < end; ++g) {
        for (int64_t p = starts_[g]; p < group_end(g); ++p) inverse[item(p)] = g;
      }
    }
  });
}

}  // namespace pt
