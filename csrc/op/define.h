// PT_OP(op): the definition of an op, a chain of properties ending the op's one declaration.
//
//   PT_OP(clamp)
//       .impl([](const Out& out, const Tensor& self, std::optional<Scalar> min, ...) { ... })
//       .saves("self").backward([](BackwardCall& g, const Tensor& self, ...) { g[0] = ...; })
//       .inplace().out().alias("clip")
//       .doc("...").sample("R(3, 4), min=-0.5");
//
// impl and backward are lambdas without captures that take the schema's parameters as C++ types;
// a mismatch is a compile error. Included by the families in ops/ only.
#pragma once

#include <tuple>

#include "op/dispatch.h"
#include "op/op.h"
#include "op/pointwise.h"
#include "op/record.h"

namespace pt {

namespace define_detail {

void finish(OpInfo& op, const Schema& schema);
void set_saves(OpInfo& op, const char* rules);
void pointwise_forward(const Out& out, const Value* args, Result& result);
void forward_through_host(const Out& out, const Value* args, Result& result);
void set_through_host(OpInfo& op);

inline void store(Result& r, Tensor t) {
  r.count = 1;
  r.t[0] = std::move(t);
}
template <class... T>
inline void store(Result& r, std::tuple<T...> t) {
  r.count = sizeof...(T);
  [&]<size_t... I>(std::index_sequence<I...>) {
    ((r.t[I] = std::move(std::get<I>(t))), ...);
  }(std::index_sequence_for<T...>{});
}
inline void store(Result& r, std::vector<Tensor> t) { r.list = std::move(t); }
inline void store(Result& r, Scalar s) { r.scalar = Value::of(s); }
inline void store(Result& r, bool b) { r.scalar = Value::of(b); }
inline void store(Result& r, int64_t i) { r.scalar = Value::of(i); }
inline void store(Result& r, double d) { r.scalar = Value::of(d); }

template <class O, class F, size_t... I>
void call_forward(const Out& out, const Value* v, Result& r, std::index_sequence<I...>) {
  auto run = [&](auto&&... lead) -> decltype(auto) {
    return F{}(lead...,
               CppType<O::schema.params[I].type, O::schema.params[I].optional>::get(v[I])...);
  };
  constexpr bool takes_out =
      std::is_invocable_v<F, const Out&, typename O::template ParamType<I>...>;
  if constexpr (takes_out) {
    if constexpr (std::is_void_v<decltype(run(out))>) {
      run(out);
    } else {
      store(r, run(out));
    }
  } else {
    if constexpr (std::is_void_v<decltype(run())>) {
      run();
    } else {
      store(r, run());
    }
  }
}

template <class O, class F, size_t... I>
void call_backward(BackwardCall& call, const Value* v, std::index_sequence<I...>) {
  F{}(call, CppType<O::schema.params[I].type, O::schema.params[I].optional>::get(v[I])...);
}

}  // namespace define_detail

template <class O>
class Definition {
  using Indices = std::make_index_sequence<static_cast<size_t>(O::schema.num_params)>;

 public:
  explicit Definition(OpInfo& op) : op_(op) { define_detail::finish(op_, O::schema); }

  // A forward function below autograd. With a leading `const Out&` it writes in-place and out=
  // destinations itself; without, dispatch copies the result there.
  template <class F>
  Definition& impl(F) {
    op_.forward = [](const Out& out, const Value* v, Result& r) {
      define_detail::call_forward<O, F>(out, v, r, Indices{});
    };
    op_.writes_out = []<size_t... I>(std::index_sequence<I...>) {
      return std::is_invocable_v<F, const Out&, typename O::template ParamType<I>...>;
    }(Indices{});
    return *this;
  }
  // A function of other ops; autograd records those.
  template <class F>
  Definition& composite(F f) {
    op_.composite = true;
    return impl(f);
  }
  // Elementwise: the operands are all Tensor and Scalar parameters, in order, of this kernel.
  Definition& pointwise(const char* kernel, Promote promote = Promote::kCommon) {
    op_.kernel_name = kernel;
    op_.promote = promote;
    op_.forward = define_detail::pointwise_forward;
    op_.writes_out = true;
    op_.device_use = DeviceUse::kElementwise;
    int tensors = 0;
    for (int i = 0; i < O::schema.num_params; ++i)
      tensors += O::schema.params[i].type == Type::kTensor;
    op_.numbers_as_tensors = tensors > 1;
    if (promote == Promote::kCompare || promote == Promote::kLogical ||
        promote == Promote::kPredicate)
      op_.differentiable = false;
    return *this;
  }
  // Python numbers may stand for tensors (add(x, 2)). Implied by pointwise() on
  // several tensors.
  Definition& numbers() {
    op_.numbers_as_tensors = true;
    return *this;
  }
  // impl() touches elements through kernels, copies, fills and item() alone, so that it also runs
  // on devices. `use` says more than that; see DeviceUse.
  Definition& on_device(DeviceUse use = DeviceUse::kKernels) {
    op_.device_use = use;
    return *this;
  }
  // The same for impl()s that hand their operands to run_pointwise.
  Definition& elementwise() { return on_device(DeviceUse::kElementwise); }
  // On a device the host computes it: for small or rare things whose steps depend on each other.
  // Comes after impl().
  Definition& through_host() {
    define_detail::set_through_host(op_);
    return *this;
  }
  // The result is a view of the first argument.
  template <class F>
  Definition& view(F f) {
    op_.view = true;
    return impl(f);
  }

  // What backward needs: "self, other@self, shape:x, result": x@y saves x only if y needs a
  // gradient; result, result1... are outputs.
  Definition& saves(const char* rules) {
    define_detail::set_saves(op_, rules);
    return *this;
  }
  template <class F>
  Definition& backward(F) {
    op_.backward = [](BackwardCall& call, const Value* v) {
      define_detail::call_backward<O, F>(call, v, Indices{});
    };
    return *this;
  }
  Definition& nondifferentiable() {
    op_.differentiable = false;
    return *this;
  }
  Definition& nondifferentiable_output(int i) {
    op_.nondifferentiable_outputs |= 1u << i;
    return *this;
  }

  Definition& inplace() {
    op_.has_inplace = true;
    return *this;
  }
  // Only the in-place variant is a public name.
  Definition& inplace_only() {
    op_.has_inplace = op_.inplace_only = true;
    return internal();
  }
  // The name of the in-place variant when it is not the op's with an underscore.
  Definition& inplace_name(const char* name) {
    op_.inplace_name = name;
    return *this;
  }
  Definition& out() {
    op_.has_out = true;
    return *this;
  }
  Definition& method_only() {
    op_.as_function = false;
    return *this;
  }
  Definition& function_only() {
    op_.as_method = false;
    return *this;
  }
  Definition& internal() {
    op_.internal = true;
    op_.as_method = false;
    return *this;
  }
  Definition& alias(const char* name) {
    op_.aliases.emplace_back(name);
    return *this;
  }
  Definition& node_name(const char* name) {
    op_.node_name = name;
    return *this;
  }
  Definition& doc(const char* text) {
    op_.doc = text;
    return *this;
  }
  Definition& sample(const char* arguments) {
    op_.samples.push_back(arguments);
    return *this;
  }
  Definition& test(const char* options) {
    op_.test_options = options;
    return *this;
  }
  // Ends the chain: hands the op to the registry (called by PT_OP).
  bool done() {
    Registry::get().add(&op_);
    return true;
  }

 private:
  OpInfo& op_;
};

struct Finish {
  template <class O>
  bool operator=(Definition<O>& d) const {  // NOLINT: reads as "registered = definition"
    return d.done();
  }
  template <class O>
  bool operator=(Definition<O>&& d) const {  // NOLINT
    return d.done();
  }
};

#define PT_OP_CONCAT2(a, b) a##b
#define PT_OP_CONCAT(a, b) PT_OP_CONCAT2(a, b)
#define PT_OP(op)                                                                           \
  template <>                                                                               \
  ::pt::OpInfo std::remove_const_t<decltype(op)>::info{};                                   \
  [[maybe_unused]] static const bool PT_OP_CONCAT(registered_, __LINE__) = ::pt::Finish{} = \
      ::pt::Definition<std::remove_const_t<decltype(op)>>(std::remove_const_t<decltype(op)>::info)

}  // namespace pt
