// Value: one argument of an op call in the uniform form that dispatch, autograd and the jit handle.
// It borrows what it points to. CppType maps a schema type to its C++ parameter type.
#pragma once

#include <optional>
#include <string_view>

#include "core/tensor.h"
#include "op/schema.h"

namespace pt {

class Generator;
enum class MemoryFormat : uint8_t { kContiguous, kPreserve, kChannelsLast, kChannelsLast3d };
using FloatList = std::span<const double>;

struct Value {
  enum class Tag : uint8_t {
    kNone,
    kTensor,
    kTensorList,
    kBool,   // also the bool kind of Scalar
    kInt,    // also the int kind of Scalar
    kFloat,  // also the float kind of Scalar
    kIntList,
    kFloatList,
    kString,
    kDType,
    kDevice,
    kLayout,
    kMemoryFormat,
    kGenerator,
  };
  Tag tag = Tag::kNone;
  uint32_t length = 0;
  union {
    TensorImpl* tensor;
    const Tensor* tensors;
    int64_t i;
    double d;
    const int64_t* ints;
    const double* floats;
    const char* chars;
    DType dtype;
    Device device;
    MemoryFormat format;
    Generator* generator;
  };

  constexpr Value() : i(0) {}
  bool is_none() const { return tag == Tag::kNone; }
  const Tensor& as_tensor() const { return reinterpret_cast<const Tensor&>(tensor); }
  TensorList as_tensors() const { return {tensors, length}; }
  Scalar as_scalar() const {
    return tag == Tag::kFloat ? Scalar(d) : (tag == Tag::kBool ? Scalar(i != 0) : Scalar((long)i));
  }

  static Value make(Tag tag) {
    Value v;
    v.tag = tag;
    return v;
  }
  static Value of(const Tensor& t) {
    Value v;
    if (t.defined()) v.tag = Tag::kTensor;
    v.tensor = t.impl();
    return v;
  }
  static Value of(TensorList t) {
    Value v = make(Tag::kTensorList);
    v.tensors = t.data();
    v.length = static_cast<uint32_t>(t.size());
    return v;
  }
  static Value of(const std::vector<Tensor>& t) { return of(TensorList(t)); }
  static Value of(const Scalar& s) {
    Value v;
    if (s.is_float()) {
      v.tag = Tag::kFloat;
      v.d = s.to_double();
    } else {
      v.tag = s.is_bool() ? Tag::kBool : Tag::kInt;
      v.i = s.to_int();
    }
    return v;
  }
  static Value of(int64_t i) {
    Value v = make(Tag::kInt);
    v.i = i;
    return v;
  }
  static Value of(double d) {
    Value v = make(Tag::kFloat);
    v.d = d;
    return v;
  }
  static Value of(bool b) {
    Value v = make(Tag::kBool);
    v.i = b;
    return v;
  }
  static Value of(IntList l) {
    Value v = make(Tag::kIntList);
    v.ints = l.data();
    v.length = static_cast<uint32_t>(l.size());
    return v;
  }
  static Value of(FloatList l) {
    Value v = make(Tag::kFloatList);
    v.floats = l.data();
    v.length = static_cast<uint32_t>(l.size());
    return v;
  }
  static Value of(std::string_view s) {
    Value v = make(Tag::kString);
    v.chars = s.data();
    v.length = static_cast<uint32_t>(s.size());
    return v;
  }
  static Value of(DType t) {
    Value v = make(Tag::kDType);
    v.dtype = t;
    return v;
  }
  static Value of(Device t) {
    Value v = make(Tag::kDevice);
    v.device = t;
    return v;
  }
  static Value of(MemoryFormat t) {
    Value v = make(Tag::kMemoryFormat);
    v.format = t;
    return v;
  }
  static Value of(Generator* g) {
    Value v;
    if (g) v.tag = Tag::kGenerator;
    v.generator = g;
    return v;
  }
  template <class T>
  static Value of(const std::optional<T>& o) {
    return o ? of(*o) : Value();
  }
};

// The single layout is strided: the parameter exists because programs pass it.
struct Strided {};

template <Type type, bool optional>
struct CppType;
#define PT_CPP_TYPE(type_, cpp, expression)                \
  template <>                                              \
  struct CppType<Type::type_, false> {                     \
    using type = cpp;                                      \
    static type get(const Value& v) { return expression; } \
  };                                                       \
  template <>                                              \
  struct CppType<Type::type_, true> {                      \
    using type = std::optional<cpp>;                       \
    static type get(const Value& v) {                      \
      if (v.is_none()) return std::nullopt;                \
      return expression;                                   \
    }                                                      \
  };
PT_CPP_TYPE(kScalar, Scalar, v.as_scalar())
PT_CPP_TYPE(kInt, int64_t, v.i)
PT_CPP_TYPE(kFloat, double, (v.tag == Value::Tag::kFloat ? v.d : static_cast<double>(v.i)))
PT_CPP_TYPE(kBool, bool, v.i != 0)
PT_CPP_TYPE(kIntList, IntList, (IntList{v.ints, v.length}))
PT_CPP_TYPE(kFloatList, FloatList, (FloatList{v.floats, v.length}))
PT_CPP_TYPE(kString, std::string_view, (std::string_view{v.chars, v.length}))
PT_CPP_TYPE(kDType, DType, v.dtype)
PT_CPP_TYPE(kDevice, Device, v.device)
PT_CPP_TYPE(kMemoryFormat, MemoryFormat, v.format)
#undef PT_CPP_TYPE
template <bool optional>
struct CppType<Type::kTensor, optional> {  // an undefined Tensor stands for None
  using type = const Tensor&;
  static type get(const Value& v) { return v.as_tensor(); }
};
template <bool optional>
struct CppType<Type::kTensorList, optional> {
  using type = TensorList;
  static type get(const Value& v) { return v.as_tensors(); }
};
template <bool optional>
struct CppType<Type::kGenerator, optional> {
  using type = Generator*;
  static type get(const Value& v) { return v.generator; }
};
template <bool optional>
struct CppType<Type::kLayout, optional> {
  using type = Strided;
  static type get(const Value&) { return {}; }
};

// What a call returns.
struct Result {
  int count = 0;  // tensors in t
  Tensor t[kMaxOutputs];
  std::vector<Tensor> list;  // for Tensor[]
  Value scalar;              // for Scalar, int, float, bool
};

}  // namespace pt
