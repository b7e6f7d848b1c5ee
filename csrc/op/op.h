// Op<"schema">: an op as a C++ object. Calling it goes through dispatch like a call from Python.
//
//   inline constexpr Op<"clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor"> clamp;
//   Tensor y = clamp(x, 0.0, 1.0);
//
// A header declares ops this way; the family's .cpp defines each with PT_OP (op/define.h). An op
// that is declared but not defined does not link: "undefined reference to pt::Op<...>::info".
#pragma once

#include <tuple>
#include <utility>

#include "op/dispatch.h"
#include "op/value.h"

namespace pt {

template <FixedString S>
class Op {
 public:
  static constexpr Schema schema = schema_detail::parse(S.view());
  static OpInfo info;

  template <size_t I>
  using ParamType = typename CppType<schema.params[I].type, schema.params[I].optional>::type;

  template <class... A>
    requires(sizeof...(A) >= static_cast<size_t>(schema.num_required) &&
             sizeof...(A) <= static_cast<size_t>(schema.num_params))
  auto operator()(const A&... args) const {
    Value v[kMaxParams];
    Tensor numbers[sizeof...(A) + 1];
    fill(v, numbers, args...);
    Result r;
    dispatch(info, v, r);
    return unpack(r);
  }
  // Writes the arguments and the defaults of those not given to `v`. Numbers given for tensors
  // are wrapped and kept alive in `numbers`.
  template <class... A>
  static void fill(Value* v, Tensor* numbers, const A&... args) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      ((v[I] = box<I>(args, numbers[I])), ...);
    }(std::index_sequence_for<A...>{});
    for (size_t i = sizeof...(A); i < static_cast<size_t>(schema.num_params); ++i)
      v[i] = info.defaults[i];
  }

 private:
  // The argument is converted to the parameter's type first, so that 0 given for a Scalar is a
  // Scalar and std::nullopt is None. A temporary would dangle only for lists, whose views point to
  // the caller's memory.
  template <size_t I, class A>
  static Value box(const A& a, Tensor& number) {
    using P = ParamType<I>;
    if constexpr (std::is_same_v<P, Strided>) {
      return Value();
    } else if constexpr (std::is_same_v<P, const Tensor&>) {
      if constexpr (std::is_arithmetic_v<A> || std::is_same_v<A, Scalar>) {
        number = wrapped_number(Scalar(a));
        return Value::of(number);
      } else {
        return Value::of(static_cast<const Tensor&>(a));
      }
    } else if constexpr (std::is_same_v<A, std::nullopt_t>) {
      return Value();
    } else if constexpr (std::is_same_v<P, Generator*>) {
      return Value::of(static_cast<Generator*>(a));
    } else if constexpr (requires { IntList(a); } && std::is_same_v<P, std::optional<IntList>>) {
      return Value::of(IntList(a));
    } else {
      return Value::of(static_cast<P>(a));
    }
  }
  static auto unpack(Result& r) {
    if constexpr (schema.return_type == ReturnType::kTensorList) {
      return std::move(r.list);
    } else if constexpr (schema.return_type == ReturnType::kScalar) {
      return r.scalar.as_scalar();
    } else if constexpr (schema.return_type == ReturnType::kInt) {
      return r.scalar.i;
    } else if constexpr (schema.return_type == ReturnType::kFloat) {
      return r.scalar.d;
    } else if constexpr (schema.return_type == ReturnType::kBool) {
      return r.scalar.i != 0;
    } else if constexpr (schema.return_type == ReturnType::kNone) {
      return;
    } else if constexpr (schema.num_outputs == 1) {
      return std::move(r.t[0]);
    } else {
      return [&]<size_t... I>(std::index_sequence<I...>) {
        return std::make_tuple(std::move(r.t[I])...);
      }(std::make_index_sequence<static_cast<size_t>(schema.num_outputs)>{});
    }
  }
};

// The in-place variant of an op that has one: `inline constexpr InplaceOp<decltype(add)> add_;`
template <class O>
class InplaceOp {
  using Functional = std::remove_const_t<O>;

 public:
  template <class... A>
  Tensor operator()(const A&... args) const {
    Value v[kMaxParams];
    Tensor numbers[sizeof...(A) + 1];
    Functional::fill(v, numbers, args...);
    Result r;
    dispatch(*Functional::info.inplace, v, r);
    return std::move(r.t[0]);
  }
};

}  // namespace pt
