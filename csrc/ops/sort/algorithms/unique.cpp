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
bool same_rows(const T* a, const T* b, int64_t width) {
  for (int64_t i = 0; i < width; ++i) {
    const auto x = SortKey<T>::encode(a[i], 0), y = SortKey<T>::encode(b[i], 0);
    if (x != y || SortKey<T>::is_nan(x, 0)) return false;
  }
  return true;
}

// Positions at which a new group starts, where item(p) is the index of the row at position p:
// counted per chunk, then written at each chunk's offset.
template <class T, class Item>
std::vector<int64_t> group_starts(const T* source, int64_t n, int64_t width, Item&& item) {
  constexpr int64_t kChunk = 1 << 15;
  const auto starts_at = [&](int64_t p) {
    return p == 0 || !same_rows(source + item(p - 1) * width, source + item(p) * width, width);
  };
  std::vector<int64_t> offsets(static_cast<size_t>((n + kChunk - 1) / kChunk + 1), 0);
  parallel_for(0, n, kChunk, [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t p = begin; p < end; ++p) count += starts_at(p);
    offsets[static_cast<size_t>(begin / kChunk + 1)] = count;
  });
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<int64_t> starts(static_cast<size_t>(offsets.back()));
  parallel_for(0, n, kChunk, [&](int64_t begin, int64_t end) {
    constexpr int64_t kBatch = 256;
    int64_t batch[kBatch];
    int64_t* to = starts.data() + offsets[static_cast<size_t>(begin / kChunk)];
    for (int64_t p = begin; p < end;) {
      const int64_t stop = std::min(end, p + kBatch);
      int64_t count = 0;
      for (; p < stop; ++p) {
        batch[count] = p;
        count += starts_at(p);
      }
      to = std::copy(batch, batch + count, to);
    }
  });
  return starts;
}

}  // namespace

UniquePlan UniquePlan::sorted(DType dtype, const void* source, int64_t n, bool inverse) {
  UniquePlan plan(source, n, static_cast<int64_t>(item_size(dtype)));
  plan.sorted_.reset(new char[static_cast<size_t>(n * plan.bytes_)]);
  if (inverse) plan.order_.reset(new int64_t[static_cast<size_t>(n)]);
  SortArgs args;
  args.dtype = dtype, args.n = n;
  args.source = {source, {}};
  args.values = {plan.sorted_.get(), {}};
  args.indices = {plan.order_.get(), {}};
  sort_rows(args);
  visit_dtype(dtype, [&]<class T>(T) {
    plan.starts_ = group_starts(reinterpret_cast<const T*>(plan.sorted_.get()), n, 1,
                                [](int64_t p) { return p; });
  });
  return plan;
}

UniquePlan UniquePlan::consecutive(DType dtype, const void* source, int64_t n) {
  return consecutive_rows(dtype, source, n, 1);
}

UniquePlan UniquePlan::sorted_rows(DType dtype, const void* source, int64_t n, int64_t width) {
  UniquePlan plan(source, n, width * static_cast<int64_t>(item_size(dtype)));
  visit_dtype(dtype, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source);
    plan.order_.reset(new int64_t[static_cast<size_t>(n)]);
    int64_t* order = plan.order_.get();
    std::iota(order, order + n, int64_t{0});
    std::stable_sort(order, order + n, [&](int64_t a, int64_t b) {
      return compare_rows(data + a * width, data + b * width, width) < 0;
    });
    plan.starts_ = group_starts(data, n, width, [order](int64_t p) { return order[p]; });
  });
  return plan;
}

UniquePlan UniquePlan::consecutive_rows(DType dtype, const void* source, int64_t n,
                                        int64_t width) {
  UniquePlan plan(source, n, width * static_cast<int64_t>(item_size(dtype)));
  visit_dtype(dtype, [&]<class T>(T) {
    plan.starts_ = group_starts(static_cast<const T*>(source), n, width,
                                [](int64_t p) { return p; });
  });
  return plan;
}

void UniquePlan::write(void* values, int64_t* inverse, int64_t* counts) const {
  constexpr int64_t kGroupsPerTask = 4096;
  parallel_for(0, count(), kGroupsPerTask, [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) {
      const int64_t first = starts_[static_cast<size_t>(g)];
      const int64_t last = g + 1 < count() ? starts_[static_cast<size_t>(g + 1)] : n_;
      if (values) {
        const char* from = sorted_ ? sorted_.get() + first * bytes_ : source_ + item(first) * bytes_;
        std::memcpy(static_cast<char*>(values) + g * bytes_, from, static_cast<size_t>(bytes_));
      }
      if (counts) counts[g] = last - first;
      if (!inverse) continue;
      for (int64_t p = first; p < last; ++p) inverse[item(p)] = g;
    }
  });
}

}  // namespace pt
