// Arguments of a Python call read by an op's schema.
#pragma once

#include <string>
#include <vector>

#include "python/object.h"

namespace pt::python {

// What parsed Values borrow from: lists and wrapped numbers of one call.
class CallMemory {
 public:
  int64_t* ints(size_t n) {
    if (used_ + n <= kInline) {
      int64_t* p = inline_ + used_;
      used_ += n;
      return p;
    }
    heap_ints_.emplace_back(new int64_t[n]);
    return heap_ints_.back().get();
  }
  std::vector<double>& floats() { return floats_.emplace_back(); }
  std::vector<Tensor>& tensors() { return tensors_.emplace_back(); }
  const Tensor& keep(Tensor t) {
    numbers_[num_numbers_] = std::move(t);
    return numbers_[num_numbers_++];
  }

 private:
  static constexpr size_t kInline = 24;
  size_t used_ = 0;
  int num_numbers_ = 0;
  int64_t inline_[kInline];
  Tensor numbers_[kMaxParams];
  std::vector<std::unique_ptr<int64_t[]>> heap_ints_;
  std::vector<std::vector<double>> floats_;
  std::vector<std::vector<Tensor>> tensors_;
};

// One schema with its parameter names as interned Python strings.
struct Signature {
  const OpInfo* op;
  PyObject* names[kMaxParams];
  bool varargs;  // a single positional int[] parameter also takes its ints one by one
  bool factory;  // has dtype, layout, device: also takes requires_grad
  explicit Signature(const OpInfo* op);
};

struct CallArgs {
  PyObject* self;  // null for functions
  PyObject* const* args;
  Py_ssize_t nargs;
  PyObject* kwnames;  // tuple or null; values follow the positional ones in args
};

struct ParsedCall {
  Value values[kMaxParams];
  CallMemory memory;
  std::vector<Tensor> out;  // out=...
  bool has_out = false;
  bool requires_grad = false;
};

// Fills `parsed`. On a mismatch returns false and, if `error` is given, says why.
bool parse_call(const Signature& sig, const CallArgs& call, ParsedCall& parsed, std::string* error);

}  // namespace pt::python
