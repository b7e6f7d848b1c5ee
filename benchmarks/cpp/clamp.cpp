// The clamp kernel: bounds that are scalars, in float and double. Bound by memory from the second
// length on.
#include <algorithm>

#include "bench.h"

namespace {

template <class T>
void add_clamp(int64_t n) {
  bench::add(std::string("clamp/") + pt::dtype_name(pt::dtype_of<T>) + "/" + std::to_string(n),
             [n](benchmark::State& state) {
               bench::measure_pointwise<T>(state, "clamp", n, -1, 1, {T(-0.5), T(0.25)},
                                           [](double x) { return std::clamp(x, -0.5, 0.25); });
             });
}

}  // namespace

int main(int argc, char** argv) {
  for (int64_t n : bench::kLengths) {
    add_clamp<float>(n);
    add_clamp<double>(n);
  }
  return bench::run_all(argc, argv);
}
