// Random ops: checks, allocation and draw order. The numbers come from distributions.h.
#include "ops/random/random.h"

#include "op/copy.h"
#include "op/define.h"
#include "op/device_check.h"
#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/random/device.h"
#include "ops/random/distributions.h"
#include "ops/random/draw_lock.h"
#include "ops/random/sampling.h"
#include "ops/view/view.h"

namespace pt {

namespace {

using OptDType = std::optional<DType>;
using OptDevice = std::optional<Device>;
using OptBool = std::optional<bool>;
using OptFormat = std::optional<MemoryFormat>;

// Calls draw(generator, memory, count, contiguous) for t's elements in memory order; a tensor with
// gaps is drawn into a dense copy first.
template <class F>
void fill_random(const Tensor& t, Generator* generator, F draw) {
  const std::lock_guard lock(draw_mutex());
  Generator& g = generator_of_call(generator);
  check_no_internal_overlap(t);
  if (t.numel() == 0) return;
  if (is_non_overlapping_and_dense(t.impl())) {
    draw(g, t.raw(), t.numel(), t.is_contiguous());
    return;
  }
  const Tensor dense = empty_as(t, {}, {});
  draw(g, dense.raw(), dense.numel(), t.is_contiguous());
  copy_into(t, dense);
}

DType floating_dtype(const OptDType& dtype, const char* op) {
  const DType t = dtype.value_or(default_dtype());
  PT_CHECK_KIND(ErrorKind::kNotImplemented, is_floating(t), "\"", op, "\" not implemented for '",
                dtype_name(t), "'");
  return t;
}

Tensor uniform_into(const Tensor& t, double from, double to, Generator* generator) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, is_floating(t.dtype()),
                "\"check_uniform_bounds\" not implemented for '", dtype_name(t.dtype()), "'");
  PT_CHECK(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from,
           " > to=", to);
  fill_random(t, generator, [&](Generator& g, void* p, int64_t n, bool) {
    random::uniform(g, t.dtype(), p, n, from, to);
  });
  return t;
}

Tensor normal_into(const Tensor& t, double mean, double std, Generator* generator) {
  PT_CHECK_KIND(ErrorKind::kNotImplemented, is_floating(t.dtype()),
                "\"normal_kernel_cpu\" not implemented for '", dtype_name(t.dtype()), "'");
  PT_CHECK(std >= 0, "normal expects std >= 0.0, but found std ", std);
  fill_random(t, generator, [&](Generator& g, void* p, int64_t n, bool contiguous) {
    random::normal(g, t.dtype(), p, n, mean, std, contiguous);
  });
  return t;
}

Tensor integers_into(const Tensor& t, const random::IntegerRange& range, Generator* generator) {
  fill_random(t, generator, [&](Generator& g, void* p, int64_t n, bool) {
    random::integers(g, t.dtype(), p, n, range);
  });
  return t;
}

Tensor integers_between(const Tensor& t, int64_t low, int64_t high, Generator* generator) {
  PT_CHECK(low < high, "random_ expects 'from' to be less than 'to', but got from=", low,
           " >= to=", high);
  return integers_into(t, random::integer_range(t.dtype(), low, high), generator);
}

Tensor target(const Out& out, const Tensor& self) {
  return out.dest[0] ? out.destination() : empty_as(self, {}, {});
}

}  // namespace

PT_OP(rand)
    .impl([](IntList size, Generator* g, OptDType dtype, auto, OptDevice, OptBool) {
      return uniform_into(empty_tensor(size, floating_dtype(dtype, "check_uniform_bounds")), 0, 1,
                          g);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Numbers drawn uniformly from [0, 1), PyTorch's stream for the same seed.")
    .sample("(3, 4)")
    .test("random");

PT_OP(randn)
    .impl([](IntList size, Generator* g, OptDType dtype, auto, OptDevice, OptBool) {
      return normal_into(empty_tensor(size, floating_dtype(dtype, "normal_kernel_cpu")), 0, 1, g);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Numbers drawn from the standard normal distribution.")
    .sample("(3, 4)")
    .test("random");

PT_OP(randint)
    .impl([](int64_t high, IntList size, Generator* g, OptDType dtype, auto, OptDevice, OptBool) {
      return integers_between(empty_tensor(size, dtype.value_or(DType::kInt64)), 0, high, g);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Integers drawn uniformly from [low, high); low is 0 unless given.")
    .sample("10, (3, 4)")
    .test("random");

PT_OP(randint_low)
    .impl([](int64_t low, int64_t high, IntList size, Generator* g, OptDType dtype, auto, OptDevice,
             OptBool) {
      return integers_between(empty_tensor(size, dtype.value_or(DType::kInt64)), low, high, g);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .sample("-5, 10, (3, 4)")
    .test("random");

PT_OP(randperm)
    .impl([](int64_t n, Generator* generator, OptDType dtype, auto, OptDevice, OptBool) {
      PT_CHECK(n >= 0, "n must be non-negative, got", n);
      const Tensor t = empty_tensor(Dims{n}, dtype.value_or(DType::kInt64));
      const std::lock_guard lock(draw_mutex());
      Generator& g = generator_of_call(generator);
      if (call_on_device) {
        copy_into(t, random::device::permutation(g, n));
      } else {
        random::randperm(g, t.dtype(), t.raw(), n);
      }
      return t;
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("A random permutation of 0 .. n-1.")
    .sample("10")
    .test("random");

PT_OP(rand_like)
    .impl([](const Tensor& self, OptDType dtype, auto, OptDevice, OptBool, OptFormat f) {
      return uniform_into(empty_as(self, dtype, f), 0, 1, nullptr);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Uniform numbers from [0, 1) in the shape of self.")
    .sample("R(3, 4)")
    .test("random");

PT_OP(randn_like)
    .impl([](const Tensor& self, OptDType dtype, auto, OptDevice, OptBool, OptFormat f) {
      return normal_into(empty_as(self, dtype, f), 0, 1, nullptr);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Standard normal numbers in the shape of self.")
    .sample("R(3, 4)")
    .test("random");

PT_OP(randint_like)
    .impl([](const Tensor& self, int64_t high, OptDType dtype, auto, OptDevice, OptBool,
             OptFormat f) { return integers_between(empty_as(self, dtype, f), 0, high, nullptr); })
    .on_device()
    .nondifferentiable()
    .function_only()
    .doc("Integers from [low, high) in the shape of self.")
    .sample("R(3, 4), 5")
    .test("random");

PT_OP(randint_like_low)
    .impl([](const Tensor& self, int64_t low, int64_t high, OptDType dtype, auto, OptDevice,
             OptBool, OptFormat f) {
      return integers_between(empty_as(self, dtype, f), low, high, nullptr);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .sample("R(3, 4), -5, 5")
    .test("random");

// A fill overwrites self: its old values get no gradient.
#define PT_NO_GRADIENT(...) .backward([](BackwardCall&, __VA_ARGS__) {})

PT_OP(uniform)
    .impl([](const Out& out, const Tensor& self, double from, double to, Generator* g) {
      return uniform_into(target(out, self), from, to, g);
    }) PT_NO_GRADIENT(const Tensor&, double, double, Generator*)
    .on_device()
    .inplace_only()
    .doc("Fills self with numbers drawn uniformly from [from, to).")
    .sample("R(3, 4), -1.0, 2.0")
    .test("random");

PT_OP(normal_fill)
    .impl([](const Out& out, const Tensor& self, double mean, double std, Generator* g) {
      return normal_into(target(out, self), mean, std, g);
    }) PT_NO_GRADIENT(const Tensor&, double, double, Generator*)
    .on_device()
    .inplace_only()
    .inplace_name("normal_")
    .doc("Fills self with numbers of the normal distribution.")
    .sample("R(3, 4), 1.0, 2.0")
    .test("random");

PT_OP(normal_tensors)
    .impl([](const Tensor& mean, const Tensor& std, Generator* g) {
      const Dims shape = broadcast_shapes(mean.sizes(), std.sizes());
      Tensor t = normal_into(empty_tensor(shape, mean.dtype()), 0, 1, g);
      mul_(t, std);
      add_(t, mean);
      return t;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, const Tensor&, Generator*) {
      for (int i = 0; i < 2; ++i)
        if (g.needs(i)) g[i] = g.grad() * 0.0;
    })
    .function_only()
    .doc(
        "Normal numbers with a mean and a standard deviation per element (or one of both, or the "
        "size given).")
    .sample("R(3, 4), P(3, 4)")
    .test("random nograd");

PT_OP(normal_mean)
    .impl([](const Tensor& mean, double std, Generator* g) {
      Tensor t = normal_into(empty_as(mean, {}, MemoryFormat::kContiguous), 0, std, g);
      add_(t, mean);
      return t;
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, double, Generator*) { g[0] = g.grad() * 0.0; })
    .function_only()
    .sample("R(3, 4), 0.5")
    .test("random nograd");

PT_OP(normal_std)
    .impl([](double mean, const Tensor& std, Generator* g) {
      Tensor t = normal_into(empty_as(std, {}, MemoryFormat::kContiguous), 0, 1, g);
      mul_(t, std);
      add_(t, mean);
      return t;
    })
    .on_device()
    .backward([](BackwardCall& g, double, const Tensor&, Generator*) { g[1] = g.grad() * 0.0; })
    .function_only()
    .sample("0.5, P(3, 4)")
    .test("random nograd");

PT_OP(normal_size)
    .impl([](double mean, double std, IntList size, Generator* g, OptDType dtype, auto, OptDevice,
             OptBool) {
      return normal_into(empty_tensor(size, floating_dtype(dtype, "normal_kernel_cpu")), mean, std,
                         g);
    })
    .on_device()
    .nondifferentiable()
    .function_only()
    .sample("0.0, 1.0, (3, 4)")
    .test("random");

PT_OP(random_from)
    .impl([](const Out& out, const Tensor& self, int64_t from, std::optional<int64_t> to,
             Generator* g) {
      PT_CHECK(!to || from < *to,
               "random_ expects 'from' to be less than 'to', but got from=", from,
               " >= to=", to.value_or(0));
      return integers_into(target(out, self), random::integer_range(self.dtype(), from, to), g);
    }) PT_NO_GRADIENT(const Tensor&, int64_t, std::optional<int64_t>, Generator*)
    .on_device()
    .inplace_only()
    .doc(
        "Fills self with integers drawn uniformly from [from, to), or from all that its dtype "
        "holds exactly.")
    .sample("R(3, 4), 2, 9")
    .test("random");

PT_OP(random_to)
    .impl([](const Out& out, const Tensor& self, int64_t to, Generator* g) {
      return integers_between(target(out, self), 0, to, g);
    }) PT_NO_GRADIENT(const Tensor&, int64_t, Generator*)
    .on_device()
    .inplace_only()
    .sample("R(3, 4), 9")
    .test("random");

PT_OP(random_full)
    .impl([](const Out& out, const Tensor& self, Generator* g) {
      return integers_into(target(out, self), random::integer_range(self.dtype()), g);
    }) PT_NO_GRADIENT(const Tensor&, Generator*)
    .on_device()
    .inplace_only()
    .sample("R(3, 4)")
    .test("random");

namespace {
void check_probability(double p, const char* op) {
  PT_CHECK(p >= 0 && p <= 1, op, " expects p to be in [0, 1], but got p=", p);
}
Tensor bernoulli_into(const Tensor& t, double p, Generator* generator) {
  check_probability(p, "bernoulli_");
  fill_random(t, generator, [&](Generator& g, void* out, int64_t n, bool) {
    random::bernoulli(g, t.dtype(), out, n, p);
  });
  return t;
}
Tensor bernoulli_into(const Tensor& t, const Tensor& p, Generator* generator) {
  PT_CHECK(is_floating(p.dtype()), "bernoulli_: expected p to be a floating point tensor");
  // Probabilities in the order in which self's memory is drawn.
  const Tensor dense = is_non_overlapping_and_dense(t.impl()) ? t : empty_as(t, {}, {});
  const Tensor wide = empty_as(dense, call_on_device ? DType::kFloat64 : p.dtype(), {});
  copy_into(wide, expand(p, IntList(t.sizes())));
  const std::lock_guard lock(draw_mutex());
  random::bernoulli(generator_of_call(generator), t.dtype(), dense.raw(), t.numel(), wide.dtype(),
                    wide.raw());
  if (!dense.same_as(t)) copy_into(t, dense);
  return t;
}
}  // namespace

PT_OP(bernoulli)
    .impl([](const Tensor& self, Generator* g) {
      return bernoulli_into(empty_tensor(self.sizes(), self.dtype()), self, g);
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, Generator*) { g[0] = g.grad() * 0.0; })
    .doc("1 with the probability that each element of self gives, else 0.")
    .sample("P(3, 4) / 2")
    .test("random nograd");

PT_OP(bernoulli_p)
    .impl([](const Tensor& self, double p, Generator* g) {
      return bernoulli_into(empty_tensor(self.sizes(), self.dtype()), p, g);
    }) PT_NO_GRADIENT(const Tensor&, double, Generator*)
    .on_device()
    .sample("R(3, 4), 0.3")
    .test("random nograd");

PT_OP(bernoulli_fill)
    .impl([](const Out& out, const Tensor& self, double p, Generator* g) {
      return bernoulli_into(target(out, self), p, g);
    }) PT_NO_GRADIENT(const Tensor&, double, Generator*)
    .on_device()
    .inplace_only()
    .inplace_name("bernoulli_")
    .doc("Fills self with 1 with probability p, else 0.")
    .sample("R(3, 4), 0.3")
    .test("random");

PT_OP(bernoulli_fill_tensor)
    .impl([](const Out& out, const Tensor& self, const Tensor& p, Generator* g) {
      return bernoulli_into(target(out, self), p, g);
    }) PT_NO_GRADIENT(const Tensor&, const Tensor&, Generator*)
    .on_device()
    .inplace_only()
    .inplace_name("bernoulli_")
    .sample("R(3, 4), P(3, 4) / 2")
    .test("random");

PT_OP(exponential)
    .impl([](const Out& out, const Tensor& self, double lambd, Generator* generator) {
      PT_CHECK(lambd > 0, "exponential_ expects lambda > 0.0, but found lambda=", lambd);
      const Tensor t = target(out, self);
      PT_CHECK(is_floating(t.dtype()),
               "Exponential distribution is a continuous probability distribution. dtype must be a "
               "floating point but you specified ",
               dtype_name(t.dtype()));
      fill_random(t, generator, [&](Generator& g, void* p, int64_t n, bool) {
        random::exponential(g, t.dtype(), p, n, lambd);
      });
      return t;
    }) PT_NO_GRADIENT(const Tensor&, double, Generator*)
    .on_device()
    .inplace_only()
    .doc("Fills self with numbers of the exponential distribution with rate lambd.")
    .sample("R(3, 4), 2.0")
    .test("random");

PT_OP(cauchy)
    .impl([](const Out& out, const Tensor& self, double median, double sigma,
             Generator* generator) {
      PT_CHECK(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
      const Tensor t = target(out, self);
      PT_CHECK(is_floating(t.dtype()),
               "Cauchy distribution is a continuous probability distribution. dtype must be a "
               "floating point but you specified ",
               dtype_name(t.dtype()));
      fill_random(t, generator, [&](Generator& g, void* p, int64_t n, bool) {
        random::cauchy(g, t.dtype(), p, n, median, sigma);
      });
      return t;
    }) PT_NO_GRADIENT(const Tensor&, double, double, Generator*)
    .on_device()
    .inplace_only()
    .doc("Fills self with numbers of the Cauchy distribution.")
    .sample("R(3, 4), 0.5, 2.0")
    .test("random");

PT_OP(log_normal)
    .impl([](const Out& out, const Tensor& self, double mean, double std, Generator* generator) {
      PT_CHECK(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
      const Tensor t = target(out, self);
      floating_dtype(t.dtype(), "log_normal_cpu");
      if (call_on_device) {
        copy_into(t, exp(normal_into(t, mean, std, generator)));
        return t;
      }
      fill_random(t, generator, [&](Generator& g, void* p, int64_t n, bool) {
        random::log_normal(g, t.dtype(), p, n, mean, std);
      });
      return t;
    }) PT_NO_GRADIENT(const Tensor&, double, double, Generator*)
    .on_device()
    .inplace_only()
    .doc("Fills self with numbers whose logarithm is normal with the given mean and std.")
    .sample("R(3, 4), 0.5, 0.25")
    .test("random");

PT_OP(geometric)
    .impl([](const Out& out, const Tensor& self, double p, Generator* generator) {
      PT_CHECK(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
      const Tensor t = target(out, self);
      PT_CHECK_KIND(ErrorKind::kNotImplemented, t.dtype() != DType::kBool,
                    "\"geometric_cpu\" not implemented for 'Bool'");
      fill_random(t, generator, [&](Generator& g, void* data, int64_t n, bool) {
        random::geometric(g, t.dtype(), data, n, p);
      });
      return t;
    }) PT_NO_GRADIENT(const Tensor&, double, Generator*)
    .on_device()
    .inplace_only()
    .doc("Fills self with numbers of the geometric distribution.")
    .sample("R(3, 4), 0.4")
    .test("random");

namespace {
void check_weights(const Tensor& weights) {
  visit_dtype(weights.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Tensor c = as_contiguous(weights);
    const int64_t n = c->sizes[c.dim() - 1], rows = n ? c.numel() / n : 0;
    const T* p = c.data<T>();
    for (int64_t r = 0; r < rows; ++r) {
      double total = 0;
      for (int64_t i = 0; i < n; ++i) {
        const auto v = static_cast<double>(p[r * n + i]);
        PT_CHECK(v >= 0 && v <= 1.7976931348623157e308,
                 "probability tensor contains either `inf`, `nan` or element < 0");
        total += v;
      }
      PT_CHECK(total > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
    }
  });
}
}  // namespace

PT_OP(multinomial)
    .impl([](const Tensor& self, int64_t num_samples, bool replacement, Generator* generator) {
      PT_CHECK(self.dim() == 1 || self.dim() == 2, "prob_dist must be 1 or 2 dim (multinomial got ",
               self.dim(), ")");
      PT_CHECK(is_floating(self.dtype()),
               "multinomial only supports floating-point dtypes for input, got: ",
               dtype_name(self.dtype()));
      PT_CHECK(num_samples > 0, "cannot sample n_sample <= 0 samples");
      const int64_t n = self->sizes[self.dim() - 1];
      PT_CHECK(replacement || num_samples <= n,
               "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
      PT_CHECK(n > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
      const int64_t rows = self.dim() == 2 ? self->sizes[0] : 1;
      if (!call_on_device) check_weights(self);
      Tensor out = empty_tensor(self.dim() == 2 ? Dims{rows, num_samples} : Dims{num_samples},
                                DType::kInt64);
      const std::lock_guard lock(draw_mutex());
      if (call_on_device)
        return random::device::categories(generator_of_call(generator), self, num_samples,
                                          replacement);
      const random::Categories c{self.dtype(),
                                 self.raw(),
                                 rows,
                                 n,
                                 self.dim() == 2 ? self->strides[0] : 0,
                                 self->strides[self.dim() - 1]};
      // Drawn in the memory order of a dense tensor like self.
      const Tensor order = self.is_contiguous() ? self : empty_as(self, {}, {});
      const bool column_major = self.dim() == 2 && order->strides[0] < order->strides[1];
      random::multinomial(generator_of_call(generator), c, out.data<int64_t>(), num_samples,
                          replacement, column_major);
      return out;
    })
    .on_device()
    .nondifferentiable()
    .doc("Indices drawn with probability proportional to the weights in self's last dimension.")
    .sample("P(3, 4), 2")
    .sample("P(4), 6, replacement=True")
    .test("random");

PT_OP(poisson)
    .impl([](const Tensor& self, Generator* generator) {
      PT_CHECK_KIND(ErrorKind::kNotImplemented, is_floating(self.dtype()),
                    "\"poisson_cpu\" not implemented for '", dtype_name(self.dtype()), "'");
      const DType t = is_half(self.dtype()) ? DType::kFloat32 : self.dtype();
      const Tensor rate = as_contiguous(cast_to(self, t));
      Tensor out = empty_tensor(self.sizes(), t);
      const std::lock_guard lock(draw_mutex());
      Generator& g = generator_of_call(generator);
      if (call_on_device) {
        constexpr double most = std::numeric_limits<double>::infinity();
        check_interval_later(rate, 0, most, OutOfBounds::kRate);
        random::device::sample(g, RejectionKind::kPoisson, t, rate.raw(), nullptr, out.raw(),
                               out.numel());
      } else {
        random::poisson(g, t, rate.raw(), out.raw(), out.numel());
      }
      return cast_to(out, self.dtype());
    })
    .on_device()
    .backward([](BackwardCall& g, const Tensor&, Generator*) { g[0] = g.grad() * 0.0; })
    .function_only()
    .doc("Numbers of the Poisson distribution with a rate per element.")
    .sample("P(3, 4)")
    .test("random nograd");

PT_OP(dropout)
    .composite([](const Tensor& input, double p, bool train) {
      PT_CHECK(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
      if (p == 0 || !train || input.numel() == 0) return input;
      if (p == 1) return input * 0.0;
      return std::get<0>(native_dropout(input, p));
    })
    .function_only()
    .doc("Elements set to zero with probability p, the others scaled by 1 / (1 - p).")
    .sample("R(3, 4), 0.5, False")
    .sample("R(3, 4), 0.5, True")
    .test("random nograd");

PT_OP(native_dropout)
    .impl([](const Tensor& input, double p) {
      PT_CHECK(is_floating(input.dtype()), "dropout(): result type Float can't be cast to the ",
               "desired output type ", dtype_name(input.dtype()));
      const Tensor x = is_non_overlapping_and_dense(input.impl()) ? input : contiguous_copy(input);
      Tensor out = empty_as(x, {}, {}), mask = empty_as(x, DType::kBool, {});
      const std::lock_guard lock(draw_mutex());
      random::dropout(generator_of_call(nullptr), x.dtype(), x.raw(), out.raw(), mask.data<bool>(),
                      x.numel(), p);
      return std::make_tuple(out, mask);
    })
    .on_device()
    .saves("result1")
    .nondifferentiable_output(1)
    .backward([](BackwardCall& g, const Tensor&, double p) {
      g[0] = g.grad(0) * (to_dtype(g.result(1), g.grad(0).dtype()) * (1.0 / (1.0 - p)));
    })
    .internal();

}  // namespace pt
