// Connectionist temporal classification (Graves et al. 2006) by forward and backward variables in
// the logarithmic domain.
//
// A target of S labels becomes S' = 2 S + 1 states, blanks around each label. All arithmetic is in
// double; the states of a time step are computed side by side. Sequences are shared among threads.
#include <new>

#include "cpu/lines.h"
#include "cpu/loss_args.h"

namespace pt::PT_ISA {
namespace {

using namespace lines;

constexpr int64_t kPad =
    kCtcPadding / 4;  // states of probability 0 around a row, twice on each side
constexpr double kNever = -__builtin_inf();

// next[s] = log(e^a[s] + e^b[s] + (open[s] ? e^c[s] : 0)) + emit[s]
__attribute__((noinline)) void step(const double* __restrict a, const double* __restrict b,
                                    const double* __restrict c, const double* __restrict open,
                                    const double* __restrict emit, int64_t n,
                                    double* __restrict next) {
  constexpr int lanes = kLanes<double>;
  for (int64_t i = 0; i < n; i += lanes) {
    for (int j = 0; j < lanes; ++j) {
      const double x = a[i + j], y = b[i + j], z = c[i + j] + open[i + j];
      const double xy = x > y ? x : y, top = z > xy ? z : xy;
      const double m = top == kNever ? 0 : top;
      const double s = math::exp_nonpositive(x - m) + math::exp_nonpositive(y - m) +
                       math::exp_nonpositive(z - m);
      next[i + j] = top == kNever ? kNever : (m + math::log(s)) + emit[i + j];
    }
  }
}

// e = exp(min(x, 0)) or 0 where x is -inf.
__attribute__((noinline)) void probabilities(double* x, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes<double>) {
    for (int j = 0; j < kLanes<double>; ++j) {
      x[i + j] = x[i + j] == kNever ? 0 : math::exp(x[i + j]);
    }
  }
}

struct Sequence {
  const CtcArgs& a;
  int64_t index, states, whole, steps;  // whole: states in whole vectors
  const int64_t* labels;
  double *open, *emit;

  // The room that a sequence needs besides alpha, in doubles.
  static int64_t room(int64_t states) { return 6 * (states + 4 * kPad); }

  Sequence(const CtcArgs& args, int64_t n, double* memory)
      : a(args),
        index(n),
        states(2 * args.target_lengths[n] + 1),
        whole(padded<double>(states)),
        steps(args.input_lengths[n]),
        labels(args.targets + args.target_offsets[n]),
        open(memory),
        emit(memory + states + 4 * kPad) {
    // A label may follow the one before it directly if they differ.
    for (int64_t s = 0; s < whole; ++s) {
      const bool skips = s % 2 == 1 && s >= 3 && s < states && labels[s / 2] != labels[s / 2 - 1];
      open[s] = skips ? 0 : kNever;
    }
    for (int64_t s = 0; s < whole; ++s) emit[s] = kNever;
  }

  int64_t label(int64_t s) const { return s % 2 ? labels[s / 2] : a.blank; }
  template <class T>
  const T* row(int64_t t) const {
    return static_cast<const T*>(a.in) + (t * a.batch + index) * a.classes;
  }
  template <class T>
  void set_emissions(int64_t t) const {
    const T* p = row<T>(t);
    const double blank = static_cast<double>(p[a.blank]);
    for (int64_t s = 0; s < states; s += 2) emit[s] = blank;
    for (int64_t s = 1; s < states; s += 2) emit[s] = static_cast<double>(p[labels[s / 2]]);
  }
  double* alpha(int64_t t) const {
    return a.alpha + index * a.alpha_stride + t * (a.max_states + 4 * kPad) + 2 * kPad;
  }

  template <class T>
  void forward() const {
    for (int64_t t = 0; t < steps; ++t) {
      double* next = alpha(t);
      for (int64_t s = -2 * kPad; s < states + 2 * kPad; ++s) next[s] = kNever;
      set_emissions<T>(t);
      if (t == 0) {
        next[0] = emit[0];
        if (states > 1) next[1] = emit[1];
        continue;
      }
      const double* last = alpha(t - 1);
      step(last, last - 1, last - 2, open, emit, whole, next);
      for (int64_t s = states; s < whole; ++s) next[s] = kNever;
    }
    static_cast<T*>(a.losses)[index] = static_cast<T>(-likelihood());
  }

  double likelihood() const {
    if (steps == 0) return states == 1 ? 0 : kNever;
    const double* end = alpha(steps - 1) + states - 1;
    const double x = end[0], y = states > 1 ? end[-1] : kNever;
    const double m = x > y ? x : y;
    return m == kNever ? m : m + __builtin_log(__builtin_exp(x - m) + __builtin_exp(y - m));
  }

  // grad = (softmax - expected count of each class) * factor, for log probabilities that are
  // logarithms of a softmax.
  template <class T>
  void backward(double* memory) const {
    double* next = memory + 2 * kPad;
    double* last = next + states + 4 * kPad;
    double* room_for_open = last + states + 2 * kPad;
    double* counts = room_for_open + states + 4 * kPad;
    const double total = likelihood();
    const double factor =
        static_cast<double>(static_cast<const T*>(a.grad)[a.single_grad ? 0 : index]);
    const bool dropped = a.zero_infinity && total == kNever;
    // From s one may go to s + 2 if that may be reached from two before it.
    for (int64_t s = 0; s < whole; ++s) room_for_open[s] = s + 2 < states ? open[s + 2] : kNever;
    for (int64_t s = -2 * kPad; s < states + 2 * kPad; ++s) last[s] = next[s] = kNever;
    for (int64_t t = a.steps - 1; t >= 0; --t) {
      T* out = static_cast<T*>(a.out) + (t * a.batch + index) * a.classes;
      if (t >= steps || dropped) {
        for (int64_t c = 0; c < a.classes; ++c) out[c] = 0;
        continue;
      }
      set_emissions<T>(t);
      if (t == steps - 1) {
        next[states - 1] = emit[states - 1];
        if (states > 1) next[states - 2] = emit[states - 2];
      } else {
        step(last, last + 1, last + 2, room_for_open, emit, whole, next);
        for (int64_t s = states; s < whole; ++s) next[s] = kNever;
      }
      const double* forward = alpha(t);
      for (int64_t s = 0; s < states; ++s)
        counts[s] = forward[s] == kNever || next[s] == kNever
                        ? kNever
                        : (forward[s] + next[s] - emit[s]) - total;
      for (int64_t s = states; s < whole; ++s) counts[s] = kNever;
      probabilities(counts, whole);
      const T* p = row<T>(t);
      for (int64_t c = 0; c < a.classes; ++c) out[c] = math::exp(p[c]);
      for (int64_t s = 0; s < states; ++s) out[label(s)] -= static_cast<T>(counts[s]);
      for (int64_t c = 0; c < a.classes; ++c) out[c] *= static_cast<T>(factor);
      double* swapped = last;
      last = next;
      next = swapped;
    }
  }
};

template <class T, bool Forward>
void ctc(const CtcArgs& a) {
  parallel_for(0, a.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const int64_t states = 2 * a.target_lengths[n] + 1;
      const auto bytes = static_cast<size_t>(Sequence::room(states)) * sizeof(double);
      double* memory = static_cast<double*>(::operator new(bytes));
      const Sequence sequence(a, n, memory);
      if constexpr (Forward) {
        sequence.template forward<T>();
      } else {
        sequence.template backward<T>(memory + 2 * (states + 4 * kPad));
      }
      ::operator delete(memory);
    }
  });
}

#define PT_CTC(forward)         \
  {nullptr,                     \
   nullptr,                     \
   nullptr,                     \
   nullptr,                     \
   nullptr,                     \
   nullptr,                     \
   nullptr,                     \
   nullptr,                     \
   PT_FN(&ctc<float, forward>), \
   PT_FN(&ctc<double, forward>)}

const KernelEntry kEntries[] = {
    {"ctc", PT_CTC(true)},
    {"ctc_backward", PT_CTC(false)},
};

}  // namespace
}  // namespace pt::PT_ISA

PT_REGISTER_KERNELS(pt::PT_ISA::kEntries)
