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

std::unique_ptr<int64_t[]> order_of(DType dtype, const void* source, int64_t n) {
  std::unique_ptr<int64_t[]> order(new int64_t[static_cast<size_t>(n)]);
  SortArgs args;
  args.dtype = dtype, args.n = n;
  args.source = {source, {}};
  args.indices = {order.get(), {}};
  sort_rows(args);
  return order;
}

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

// Positions at which a new group starts, where item(p) is the index of the row at position p.
template <class T, class Item>
std::vector<int64_t> group_starts(const T* source, int64_t n, int64_t width, Item&& item) {
  std::vector<int64_t> starts;
  for (int64_t p = 0; p < n; ++p) {
    if (p == 0 || !same_rows(source + item(p - 1) * width, source + item(p) * width, width)) {
      starts.push_back(p);
    }
  }
  return starts;
}

}  // namespace

UniquePlan UniquePlan::sorted(DType dtype, const void* source, int64_t n) {
  return sorted_rows(dtype, source, n, 1);
}

UniquePlan UniquePlan::consecutive(DType dtype, const void* source, int64_t n) {
  return consecutive_rows(dtype, source, n, 1);
}

UniquePlan UniquePlan::sorted_rows(DType dtype, const void* source, int64_t n, int64_t width) {
  UniquePlan plan(source, n, width * static_cast<int64_t>(item_size(dtype)));
  visit_dtype(dtype, [&]<class T>(T) {
    const T* data = static_cast<const T*>(source);
    if (width == 1) {
      plan.order_ = order_of(dtype, source, n);
    } else {
      plan.order_.reset(new int64_t[static_cast<size_t>(n)]);
      std::iota(plan.order_.get(), plan.order_.get() + n, int64_t{0});
      std::stable_sort(plan.order_.get(), plan.order_.get() + n, [&](int64_t a, int64_t b) {
        return compare_rows(data + a * width, data + b * width, width) < 0;
      });
    }
    const int64_t* order = plan.order_.get();
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
        std::memcpy(static_cast<char*>(values) + g * bytes_, source_ + item(first) * bytes_,
                    static_cast<size_t>(bytes_));
      }
      if (counts) counts[g] = last - first;
      if (!inverse) continue;
      for (int64_t p = first; p < last; ++p) inverse[item(p)] = g;
    }
  });
}

}  // namespace pt
