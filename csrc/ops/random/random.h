// Random ops: the checked, differentiable face of distributions.h and sampling.h.
#pragma once

#include "ops/creation/creation.h"

namespace pt {

#define PT_RANDOM_OPTIONS                                                       \
  "*, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, " \
  "Device? device=None, bool? pin_memory=False"

inline constexpr Op<"rand(int[] size, " PT_RANDOM_OPTIONS ") -> Tensor"> rand;
inline constexpr Op<"randn(int[] size, " PT_RANDOM_OPTIONS ") -> Tensor"> randn;
inline constexpr Op<"randint(int high, int[] size, " PT_RANDOM_OPTIONS ") -> Tensor"> randint;
inline constexpr Op<"randint.low(int low, int high, int[] size, " PT_RANDOM_OPTIONS ") -> Tensor">
    randint_low;
inline constexpr Op<"randperm(int n, " PT_RANDOM_OPTIONS ") -> Tensor"> randperm;
inline constexpr Op<"rand_like(Tensor self, " PT_LIKE_OPTIONS ") -> Tensor"> rand_like;
inline constexpr Op<"randn_like(Tensor self, " PT_LIKE_OPTIONS ") -> Tensor"> randn_like;
inline constexpr Op<"randint_like(Tensor self, int high, " PT_LIKE_OPTIONS ") -> Tensor">
    randint_like;
inline constexpr Op<"randint_like.low(Tensor self, int low, int high, " PT_LIKE_OPTIONS
                    ") -> Tensor">
    randint_like_low;

inline constexpr Op<
    "uniform(Tensor self, float from=0.0, float to=1.0, *, Generator? generator=None) -> Tensor">
    uniform;
inline constexpr InplaceOp<decltype(uniform)> uniform_;
inline constexpr Op<
    "_normal(Tensor self, float mean=0.0, float std=1.0, *, Generator? "
    "generator=None) -> Tensor">
    normal_fill;
inline constexpr Op<"normal(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor">
    normal_tensors;
inline constexpr Op<
    "normal.Tensor_float(Tensor mean, float std=1.0, *, Generator? generator=None) -> Tensor">
    normal_mean;
inline constexpr Op<
    "normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor">
    normal_std;
inline constexpr Op<"normal.float_float(float mean, float std, int[] size, " PT_RANDOM_OPTIONS
                    ") -> Tensor">
    normal_size;
inline constexpr Op<
    "random.from(Tensor self, int from, int? to, *, Generator? generator=None) -> "
    "Tensor">
    random_from;
inline constexpr Op<"random.to(Tensor self, int to, *, Generator? generator=None) -> Tensor">
    random_to;
inline constexpr Op<"random(Tensor self, *, Generator? generator=None) -> Tensor"> random_full;
inline constexpr Op<"bernoulli(Tensor self, *, Generator? generator=None) -> Tensor"> bernoulli;
inline constexpr Op<"bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor">
    bernoulli_p;
inline constexpr Op<"_bernoulli(Tensor self, float p=0.5, *, Generator? generator=None) -> Tensor">
    bernoulli_fill;
inline constexpr Op<
    "_bernoulli.Tensor(Tensor self, Tensor p, *, Generator? generator=None) -> "
    "Tensor">
    bernoulli_fill_tensor;
inline constexpr Op<
    "exponential(Tensor self, float lambd=1.0, *, Generator? generator=None) -> Tensor">
    exponential;
inline constexpr Op<
    "cauchy(Tensor self, float median=0.0, float sigma=1.0, *, Generator? generator=None) -> "
    "Tensor">
    cauchy;
inline constexpr Op<
    "log_normal(Tensor self, float mean=1.0, float std=2.0, *, Generator? generator=None) -> "
    "Tensor">
    log_normal;
inline constexpr Op<"geometric(Tensor self, float p, *, Generator? generator=None) -> Tensor">
    geometric;
inline constexpr Op<
    "multinomial(Tensor self, int num_samples, bool replacement=False, *, "
    "Generator? generator=None) -> Tensor">
    multinomial;
inline constexpr Op<"poisson(Tensor self, Generator? generator=None) -> Tensor"> poisson;
inline constexpr Op<"native_dropout(Tensor input, float p) -> (Tensor result, Tensor mask)">
    native_dropout;
inline constexpr Op<"dropout(Tensor input, float p, bool train) -> Tensor"> dropout;

}  // namespace pt
