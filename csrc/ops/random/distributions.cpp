// The distributions. Kernels do what vectorises; the rest goes through the C library's double
// functions, as in PyTorch, whose rounding is part of the stream.
#include "ops/random/distributions.h"

#include <atomic>
#include <cmath>

#include "core/error.h"
#include "ops/random/device.h"
#include "ops/random/draw.h"

namespace pt::random {

namespace {

const Kernel<RandomExtendFn> kExtend{"random_extend"};
const Kernel<RandomUnitFn> kUnit{"random_unit"};
const Kernel<RealFn> kUniform{"uniform"};
const Kernel<RealFn> kNormal{"normal"};
const Kernel<BernoulliFn> kBernoulli{"bernoulli"};
const Kernel<DropoutFn> kDropout{"dropout"};
const Kernel<IntegersFn> kIntegers{"random_integers"};

constexpr int kTile = 512;  // doubles on the stack between two steps
constexpr double kPi = 3.14159265358979323846;

uint64_t threshold53(double p) { return static_cast<uint64_t>(std::ceil(p * 0x1p53)); }

void* at(DType t, void* p, int64_t i) {
  return static_cast<char*>(p) + i * static_cast<int64_t>(item_size(t));
}
const void* at(DType t, const void* p, int64_t i) {
  return static_cast<const char*>(p) + i * static_cast<int64_t>(item_size(t));
}

template <class T>
T from_double(double value) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return static_cast<T>(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

void store(DType t, void* out, const double* values, int64_t n) {
  visit_dtype(t, [&](auto tag) {
    using T = decltype(tag);
    T* p = static_cast<T*>(out);
    for (int64_t i = 0; i < n; ++i) p[i] = from_double<T>(values[i]);
  });
}

// f(u) of a uniform double for each element.
template <class F>
void map_unit53(Generator& g, DType t, void* out, int64_t n, F&& f) {
  const auto unit = kUnit.get(DType::kFloat64);
  for_each_piece(g, n, 2, [&](const uint32_t* raw, int64_t first, int64_t count) {
    double u[kTile];
    for (int64_t i = 0; i < count; i += kTile) {
      const int64_t m = count - i < kTile ? count - i : kTile;
      unit(raw + 2 * i, u, m);
      for (int64_t j = 0; j < m; ++j) u[j] = f(u[j]);
      store(t, at(t, out, first + i), u, m);
    }
  });
}

// Two standard normal samples from two uniforms (Box and Muller).
inline void normal_pair(double u1, double u2, double* first, double* second) {
  const double r = std::sqrt(-2.0 * std::log1p(-u2));
  const double theta = 2.0 * kPi * u1;
  *first = r * std::cos(theta);
  *second = r * std::sin(theta);
}

// f(sample) of standard normal samples drawn singly: the cached one, pairs, and an odd one.
template <class F>
void map_normal(Generator& g, DType t, void* out, int64_t n, F&& f) {
  int64_t done = 0;
  if (n > 0) {
    if (const std::optional<double> cached = g.take_cached_normal()) {
      const double value = f(*cached);
      store(t, out, &value, 1);
      done = 1;
    }
  }
  const int64_t pairs = (n - done) / 2;
  const auto unit = kUnit.get(DType::kFloat64);
  void* rest = at(t, out, done);
  for_each_piece(g, pairs, 4, [&](const uint32_t* raw, int64_t first, int64_t count) {
    double u[kTile];
    for (int64_t i = 0; i < 2 * count; i += kTile) {
      const int64_t m = 2 * count - i < kTile ? 2 * count - i : kTile;
      unit(raw + 2 * i, u, m);
      for (int64_t j = 0; j < m; j += 2) {
        normal_pair(u[j], u[j + 1], &u[j], &u[j + 1]);
        u[j] = f(u[j]);
        u[j + 1] = f(u[j + 1]);
      }
      store(t, at(t, rest, 2 * first + i), u, m);
    }
  });
  done += 2 * pairs;
  if (done < n) {
    const double u1 = g.next_double(), u2 = g.next_double();
    double value, other;
    normal_pair(u1, u2, &value, &other);
    g.cache_normal(other);
    value = f(value);
    store(t, at(t, out, done), &value, 1);
  }
}

// Blocks of 16 doubles, rounding as the single precision kernel does.
void normal_blocks_f64(RandomUnitFn* unit, const RealArgs& a) {
  double* out = static_cast<double*>(a.out);
  unit(a.raw, out, a.n);
  for (int64_t i = 0; i < a.n; i += 16) {
    for (double* p = out + i; p < out + i + 8; ++p) {
      const double r = std::sqrt(-2 * std::log(1 - p[0]));
      const double theta = 2.0 * kPi * p[8];
      p[0] = std::fma(r * std::cos(theta), a.b, a.a);
      p[8] = std::fma(r * std::sin(theta), a.b, a.a);
    }
  }
}

}  // namespace

const uint32_t* take_words(Generator& g, int64_t words, uint32_t* buffer) {
  const int start = g.position();
  if (words <= kBlock - start) {
    g.skip_in_block(static_cast<int>(words));
    return g.block() + start;
  }
  const int64_t end = start + words;
  const int64_t new_words = (end - 1) / kBlock * kBlock;
  std::memcpy(buffer, g.block(), kBlock * sizeof(uint32_t));
  static const auto extend = kExtend.get(DType::kInt32);
  extend(buffer + kBlock, new_words);
  g.set_block(buffer + new_words, static_cast<int>(end - new_words));
  return buffer + start;
}

void uniform(Generator& g, DType t, void* out, int64_t n, double from, double to) {
  if (call_on_device)
    return device::fill(g, t, out, n, {.kind = RandomKind::kUniform, .a = from, .b = to});
  const auto kernel = kUniform.get(t);
  for_each_piece(g, n, t == DType::kFloat64 ? 2 : 1,
                 [&](const uint32_t* raw, int64_t first, int64_t count) {
                   kernel({raw, at(t, out, first), count, from, to});
                 });
}

void normal(Generator& g, DType t, void* out, int64_t n, double mean, double std, bool contiguous) {
  if (call_on_device)
    return device::fill(g, t, out, n, {.kind = RandomKind::kNormal, .a = mean, .b = std});
  if (n < 16 || !contiguous) {
    map_normal(g, t, out, n, [=](double x) { return std::fma(x, std, mean); });
    return;
  }
  const int words = t == DType::kFloat64 ? 2 : 1;
  const auto unit = kUnit.get(DType::kFloat64);
  const auto kernel = kNormal.get(t);  // none for float64
  const auto blocks = [&](const uint32_t* raw, int64_t first, int64_t count) {
    const RealArgs args = {raw, at(t, out, first), count / 16 * 16, mean, std};
    if (kernel)
      kernel(args);
    else
      normal_blocks_f64(unit, args);
  };
  // The halves draw block by block; the others a uniform for every element first, of which the
  // last incomplete block goes unused.
  const int64_t whole = n / 16 * 16;
  for_each_piece(g, is_half(t) ? whole : n, words, blocks);
  if (n != whole) {
    for_each_piece(g, 16, words,
                   [&](const uint32_t* raw, int64_t, int64_t) { blocks(raw, n - 16, 16); });
  }
}

void bernoulli(Generator& g, DType t, void* out, int64_t n, double p) {
  if (call_on_device) return device::fill(g, t, out, n, {.kind = RandomKind::kBernoulli, .a = p});
  const auto kernel = kBernoulli.get(t);
  for_each_piece(g, n, 2, [&](const uint32_t* raw, int64_t first, int64_t count) {
    kernel({raw, at(t, out, first), count, threshold53(p)});
  });
}

void bernoulli(Generator& g, DType t, void* out, int64_t n, DType p_dtype, const void* p) {
  if (call_on_device) {
    DeviceRandom a{.kind = RandomKind::kBernoulli};
    a.probabilities = static_cast<const double*>(p);  // of double, see the op
    return device::fill(g, t, out, n, a);
  }
  const int words = p_dtype == DType::kFloat64 ? 2 : 1;
  const auto unit = kUnit.get(words == 2 ? DType::kFloat64 : DType::kFloat32);
  std::atomic<bool> valid = true;
  for_each_piece(g, n, words, [&](const uint32_t* raw, int64_t first, int64_t count) {
    double u[kTile];
    for (int64_t i = 0; i < count; i += kTile) {
      const int64_t m = count - i < kTile ? count - i : kTile;
      unit(raw + words * i, u, m);
      int64_t inside = 0;
      visit_dtype(p_dtype, [&](auto tag) {
        if constexpr (is_floating(dtype_of<decltype(tag)>)) {
          const auto* q = static_cast<const decltype(tag)*>(p) + first + i;
          for (int64_t j = 0; j < m; ++j) {
            const double probability = q[j];
            inside += (probability >= 0) & (probability <= 1);
            u[j] = u[j] < probability ? 1.0 : 0.0;
          }
        }
      });
      if (inside != m) valid = false;
      store(t, at(t, out, first + i), u, m);
    }
  });
  PT_CHECK(valid.load(), "Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
}

void dropout(Generator& g, DType t, const void* x, void* out, bool* mask, int64_t n, double p) {
  if (call_on_device) return device::dropout(g, t, x, out, mask, n, 1 - p);
  const auto kernel = kDropout.get(t);
  for_each_piece(g, n, 2, [&](const uint32_t* raw, int64_t first, int64_t count) {
    kernel({raw, at(t, x, first), at(t, out, first), mask ? mask + first : nullptr, count,
            threshold53(1 - p), 1 - p});
  });
}

void dropout_noise(Generator& g, DType t, void* out, int64_t n, double p) {
  if (call_on_device) return device::dropout(g, t, nullptr, out, nullptr, n, 1 - p);
  const auto kernel = kDropout.get(t);
  for_each_piece(g, n, 2, [&](const uint32_t* raw, int64_t first, int64_t count) {
    void* piece = at(t, out, first);
    visit_dtype(t, [&](auto tag) {
      using T = decltype(tag);
      for (int64_t i = 0; i < count; ++i) static_cast<T*>(piece)[i] = from_double<T>(1);
    });
    kernel({raw, piece, piece, nullptr, count, threshold53(1 - p), 1 - p});
  });
}

void exponential(Generator& g, DType t, void* out, int64_t n, double rate) {
  if (call_on_device)
    return device::fill(g, t, out, n, {.kind = RandomKind::kExponential, .a = rate});
  map_unit53(g, t, out, n, [=](double u) { return -1.0 / rate * std::log1p(-u); });
}

void cauchy(Generator& g, DType t, void* out, int64_t n, double median, double sigma) {
  if (call_on_device)
    return device::fill(g, t, out, n, {.kind = RandomKind::kCauchy, .a = median, .b = sigma});
  map_unit53(g, t, out, n,
             [=](double u) { return std::fma(sigma, std::tan(kPi * (u - 0.5)), median); });
}

void log_normal(Generator& g, DType t, void* out, int64_t n, double mean, double std) {
  map_normal(g, t, out, n, [=](double x) { return std::exp(std::fma(x, std, mean)); });
}

void geometric(Generator& g, DType t, void* out, int64_t n, double p) {
  if (call_on_device) return device::fill(g, t, out, n, {.kind = RandomKind::kGeometric, .a = p});
  map_unit53(g, t, out, n, [=](double u) { return std::ceil(std::log(u) / std::log1p(-p)); });
}

void rrelu_noise(Generator& g, DType t, const void* x, void* noise, int64_t n, double lower,
                 double upper) {
  visit_dtype(t, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (is_floating(dtype_of<T>)) {
      const T* input = static_cast<const T*>(x);
      const double from = from_double<T>(lower), to = from_double<T>(upper);
      for (int64_t i = 0; i < n; ++i) {
        const double slope = input[i] <= 0 ? g.next_double() * (to - from) + from : 1.0;
        static_cast<T*>(noise)[i] = from_double<T>(slope);
      }
    }
  });
}

void integers(Generator& g, DType t, void* out, int64_t n, const IntegerRange& range) {
  if (call_on_device) {
    DeviceRandom a{.kind = RandomKind::kIntegers, .two_words = range.two_words};
    a.range = range.range;
    a.base = range.base;
    return device::fill(g, t, out, n, a);
  }
  const auto kernel = kIntegers.get(t);
  for_each_piece(
      g, n, range.two_words ? 2 : 1, [&](const uint32_t* raw, int64_t first, int64_t count) {
        kernel({raw, at(t, out, first), count, range.two_words, range.range, range.base});
      });
}

}  // namespace pt::random
