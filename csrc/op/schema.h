// Schema: an op's signature, read from its string at compile time. A wrong string is a compile
// error at the op's own line. Used by the typed C++ call, the Python argument parser, the jit.
//
//   clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor
//
// Types: Tensor Tensor[] Scalar int float bool int[] int[N] float[] str ScalarType Device Layout
// MemoryFormat Generator, each with `?` for optional; `*` starts keyword-only parameters. int[N]
// also takes one int, which stands for N of them (or for a list of one when N is 1).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pt {

enum class Type : uint8_t {
  kTensor,
  kTensorList,
  kScalar,
  kInt,
  kFloat,
  kBool,
  kIntList,
  kFloatList,
  kString,
  kDType,
  kDevice,
  kLayout,
  kMemoryFormat,
  kGenerator,
};

struct Param {
  std::string_view name;
  std::string_view default_text;
  Type type{};
  bool optional = false;  // accepts None
  bool has_default = false;
  bool keyword_only = false;
  int list_size = 0;  // N of int[N]
};

enum class ReturnType : uint8_t { kTensor, kTensorList, kScalar, kInt, kFloat, kBool, kNone };

inline constexpr int kMaxParams = 16;
inline constexpr int kMaxOutputs = 5;

struct Schema {
  std::string_view text;
  std::string_view name;
  std::string_view overload;
  std::array<Param, kMaxParams> params{};
  int num_params = 0;
  int num_required = 0;
  int num_positional = 0;
  ReturnType return_type{};
  int num_outputs = 0;  // tensors, when return_type is kTensor
  std::array<std::string_view, kMaxOutputs> output_names{};
};

namespace schema_detail {

consteval Type type_of(std::string_view t, int& list_size) {
  if (t == "Tensor") return Type::kTensor;
  if (t == "Tensor[]") return Type::kTensorList;
  if (t == "Scalar") return Type::kScalar;
  if (t == "int") return Type::kInt;
  if (t == "float") return Type::kFloat;
  if (t == "bool") return Type::kBool;
  if (t == "int[]") return Type::kIntList;
  if (t == "float[]") return Type::kFloatList;
  if (t == "str") return Type::kString;
  if (t == "ScalarType") return Type::kDType;
  if (t == "Device") return Type::kDevice;
  if (t == "Layout") return Type::kLayout;
  if (t == "MemoryFormat") return Type::kMemoryFormat;
  if (t == "Generator") return Type::kGenerator;
  if (t.starts_with("int[") && t.size() == 6 && t[4] >= '1' && t[4] <= '9' && t[5] == ']') {
    list_size = t[4] - '0';
    return Type::kIntList;
  }
  throw "schema: unknown parameter type";
}

consteval std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// Position of the comma that ends the first item, outside brackets.
consteval size_t item_end(std::string_view s) {
  int depth = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '[' || s[i] == '(') ++depth;
    if (s[i] == ']' || s[i] == ')') --depth;
    if (s[i] == ',' && depth == 0) return i;
  }
  return s.size();
}

consteval Param parse_param(std::string_view item) {
  const auto space = item.find(' ');
  if (space == item.npos) throw "schema: expected 'Type name'";
  Param p;
  auto type = item.substr(0, space);
  if (type.back() == '?') {
    p.optional = true;
    type.remove_suffix(1);
  }
  p.type = type_of(type, p.list_size);
  const auto rest = item.substr(space + 1);
  const auto eq = rest.find('=');
  p.name = rest.substr(0, eq);
  if (eq != rest.npos) {
    p.has_default = true;
    p.default_text = rest.substr(eq + 1);
  }
  return p;
}

consteval void parse_returns(std::string_view s, Schema& o) {
  if (s == "Tensor[]") {
    o.return_type = ReturnType::kTensorList;
  } else if (s == "Scalar") {
    o.return_type = ReturnType::kScalar;
  } else if (s == "int") {
    o.return_type = ReturnType::kInt;
  } else if (s == "float") {
    o.return_type = ReturnType::kFloat;
  } else if (s == "bool") {
    o.return_type = ReturnType::kBool;
  } else if (s == "()") {
    o.return_type = ReturnType::kNone;
  } else {
    o.return_type = ReturnType::kTensor;
    if (s.starts_with("(")) s = s.substr(1, s.size() - 2);
    while (!s.empty()) {
      const auto end = item_end(s);
      const auto item = trim(s.substr(0, end));
      s = end == s.size() ? std::string_view{} : s.substr(end + 1);
      if (!item.starts_with("Tensor")) throw "schema: returns must be Tensor";
      if (o.num_outputs == kMaxOutputs) throw "schema: too many outputs";
      o.output_names[o.num_outputs++] = trim(item.substr(6));
    }
  }
}

consteval Schema parse(std::string_view s) {
  Schema o;
  o.text = s;
  const auto open = s.find('(');
  const auto close = s.find(") -> ");
  if (open == s.npos || close == s.npos) throw "schema: expected name(params) -> type";
  const auto full = s.substr(0, open);
  const auto dot = full.find('.');
  o.name = full.substr(0, dot);
  if (dot != full.npos) o.overload = full.substr(dot + 1);
  auto body = s.substr(open + 1, close - open - 1);
  bool keyword_only = false;
  while (!body.empty()) {
    const auto end = item_end(body);
    const auto item = trim(body.substr(0, end));
    body = end == body.size() ? std::string_view{} : body.substr(end + 1);
    if (item == "*") {
      keyword_only = true;
      continue;
    }
    if (o.num_params == kMaxParams) throw "schema: too many parameters";
    Param p = parse_param(item);
    p.keyword_only = keyword_only;
    if (!p.has_default) ++o.num_required;
    if (!keyword_only) ++o.num_positional;
    o.params[o.num_params++] = p;
  }
  parse_returns(s.substr(close + 5), o);
  return o;
}

}  // namespace schema_detail

// A string usable as a template argument.
template <size_t N>
struct FixedString {
  char text[N]{};
  consteval FixedString(const char (&s)[N]) {  // NOLINT: implicit by design
    for (size_t i = 0; i < N; ++i) text[i] = s[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

}  // namespace pt
