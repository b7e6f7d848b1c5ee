// How a call enters the autograd graph: OpNode keeps what an op's backward formula needs, and
// BackwardCall is the formula's view of it.
#pragma once

#include <memory>
#include <vector>

#include "autograd/node.h"
#include "op/dispatch.h"

namespace pt {

// The generic node of every op that has a backward formula.
class OpNode final : public Node {
 public:
  // Keeps edges to the inputs and what op.saves asks of them; outputs are added by finish().
  OpNode(const OpInfo& op, const Value* args, bool inplace);
  void save_outputs(const Result& result);
  void apply(GradVector& grads, GradVector& out) override;
  void release_saved() override;
  std::string name() const override { return op_.node_name; }
  const OpInfo& op() const { return op_; }
  bool released() const { return released_; }
  // Saved values by name, as grad_fn._saved_self shows them.
  std::vector<std::pair<std::string, Tensor>> saved_tensors();

  static void* operator new(size_t size);
  static void operator delete(void* p);

 private:
  friend class BackwardCall;
  void keep_lists(const Value* args);
  int slot(int param) const { return slots_[param]; }

  static constexpr int kInlineSaved = 3;
  SavedTensor& saved(int i) { return i < kInlineSaved ? saved_[i] : more_saved_[i - kInlineSaved]; }

  const OpInfo& op_;
  bool released_ = false;
  int16_t slots_[kMaxParams];  // first edge of each tensor parameter
  int num_saved_ = 0;
  SavedTensor saved_[kInlineSaved];  // in the order of op.saves, lists expanded
  std::vector<SavedTensor> more_saved_;
  std::unique_ptr<Value[]> args_;  // numbers, lists and strings; tensors are in saved_
  std::vector<int64_t> ints_;
  std::vector<double> floats_;
  std::string chars_;
};

// What a backward formula sees: incoming gradients, which inputs want one, saved outputs, and a
// slot per tensor parameter for the answer. An empty slot means a zero gradient.
class BackwardCall {
 public:
  BackwardCall(OpNode& node, GradVector& grads, GradVector& out)
      : node_(node), grads_(grads), out_(out) {}

  // Gradient of output i; for single-output ops always defined.
  const Tensor& grad(int i = 0) const { return grads_[static_cast<size_t>(i)]; }
  size_t num_grads() const { return grads_.size(); }
  // The same, zeros when no gradient arrived.
  Tensor grad_or_zeros(int i) const;
  bool needs(int param) const {
    const int s = node_.slot(param);
    return s >= 0 && node_.needs(static_cast<size_t>(s));
  }
  bool needs_element(int param, size_t i) const {
    return node_.needs(static_cast<size_t>(node_.slot(param)) + i);
  }
  Tensor& operator[](int param) { return out_[static_cast<size_t>(node_.slot(param))]; }
  Tensor& element(int param, size_t i) { return out_[static_cast<size_t>(node_.slot(param)) + i]; }
  // Saved output i (named "result", "result1"... in saves()).
  const Tensor& result(int i = 0) const { return results_[i]; }
  const OutputMeta& output_meta(uint32_t i = 0) const { return node_.meta(i); }

 private:
  friend class OpNode;
  OpNode& node_;
  GradVector& grads_;
  GradVector& out_;
  Tensor results_[kMaxOutputs];
};

// Records a finished call: builds the node and makes the outputs its outputs.
void record_call(const OpInfo& op, const Value* args, Result& result);

}  // namespace pt
