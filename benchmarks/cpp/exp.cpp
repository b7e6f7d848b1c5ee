// Elementary functions: exp, log and tanh in float and double, checked against the C library.
#include "bench.h"

namespace {

template <class T>
void add_function(const char* name, double low, double high, double (*reference)(double),
                  int64_t n) {
  const char* dtype = pt::dtype_name(pt::dtype_of<T>);
  bench::add(std::string(name) + "/" + dtype + "/" + std::to_string(n),
             [=](benchmark::State& state) {
               bench::measure_pointwise<T>(state, name, n, low, high, {}, reference);
             });
}

void add_both(const char* name, double low, double high, double (*reference)(double)) {
  for (int64_t n : bench::kLengths) {
    add_function<float>(name, low, high, reference, n);
    add_function<double>(name, low, high, reference, n);
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_both("exp", -10, 10, [](double x) { return std::exp(x); });
  add_both("log", 0.01, 100, [](double x) { return std::log(x); });
  add_both("tanh", -5, 5, [](double x) { return std::tanh(x); });
  return bench::run_all(argc, argv);
}
