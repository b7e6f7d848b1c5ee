// Reduction kernels: sum and maximum of everything, along rows and along columns.
#include <algorithm>

#include "bench.h"
#include "cpu/reduce_args.h"

namespace {

using pt::ReduceArgs;

enum class Axis { kAll, kRows, kColumns };

// Reduces `rows` x `columns` row-major values; along rows one result a row remains.
template <class T>
void run(benchmark::State& state, const char* name, Axis axis, int64_t rows, int64_t columns) {
  const std::vector<T> x = bench::random_values<T>(rows * columns);
  const int64_t results = axis == Axis::kAll ? 1 : axis == Axis::kRows ? rows : columns;
  std::vector<T> y(static_cast<size_t>(results));
  ReduceArgs a;
  a.in = x.data();
  a.out = y.data();
  if (axis == Axis::kAll) {
    a.n = rows * columns, a.in_n = 1;
  } else if (axis == Axis::kRows) {
    a.outer = rows, a.in_outer = columns, a.out_outer = 1;
    a.n = columns, a.in_n = 1;
  } else {
    a.n = rows, a.in_n = columns;
    a.inner = columns, a.in_inner = 1, a.out_inner = 1;
  }
  pt::ReduceFn* fn = pt::Kernel<pt::ReduceFn>{name}.get(pt::dtype_of<T>);
  const bool sums = std::string(name) == "sum";
  auto right = [&] {
    std::vector<double> want(y.size(), sums ? 0 : -2), size(y.size());
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        const auto o = static_cast<size_t>(axis == Axis::kAll ? 0 : axis == Axis::kRows ? i : j);
        const auto v = static_cast<double>(x[static_cast<size_t>(i * columns + j)]);
        want[o] = sums ? want[o] + v : std::max(want[o], v);
        size[o] += sums ? std::abs(v) : 0;
      }
    }
    for (size_t o = 0; o < y.size(); ++o)
      if (!(std::abs(static_cast<double>(y[o]) - want[o]) <= 1e-6 * size[o])) return false;
    return true;
  };
  bench::measure(state, rows * columns * static_cast<int64_t>(sizeof(T)), [&] { fn(a); }, right);
}

template <class T>
void add_axes(const char* name, int64_t rows, int64_t columns) {
  constexpr const char* kAxisNames[] = {"all", "rows", "columns"};
  for (Axis axis : {Axis::kAll, Axis::kRows, Axis::kColumns}) {
    bench::add(std::string(name) + "/" + pt::dtype_name(pt::dtype_of<T>) + "/" +
                   kAxisNames[static_cast<int>(axis)] + "/" + std::to_string(rows) + "x" +
                   std::to_string(columns),
               [=](benchmark::State& state) { run<T>(state, name, axis, rows, columns); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const char* name : {"sum", "amax"}) {
    add_axes<float>(name, 32, 32);
    add_axes<float>(name, 1024, 1024);
    add_axes<double>(name, 1024, 1024);
  }
  return bench::run_all(argc, argv);
}
