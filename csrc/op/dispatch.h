// The way of a call, on one page: dispatch() is entered by Python, C++, the backward formulas and
// the jit alike. OpInfo is everything the library knows of one op; the registry holds them all.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "autograd/node.h"
#include "op/value.h"

namespace pt {

struct OpInfo;
struct KernelEntry;

// Where results go. Empty for a plain call; the destination tensors for in-place and out= calls.
struct Out {
  const OpInfo* op = nullptr;
  TensorImpl* dest[kMaxOutputs] = {};
  bool inplace = false;
  Tensor destination(int i = 0) const { return Tensor::share(dest[i]); }
};

// Dtype rule of a pointwise op.
enum class Promote : uint8_t {
  kCommon,     // result_type of the operands
  kFloat,      // the same, integers become the default float dtype
  kCompare,    // computed in the common dtype, result bool
  kLogical,    // operands are converted to bool, result bool
  kPredicate,  // computed in the operand's dtype, result bool (isnan...)
};

class BackwardCall;  // op/record.h
using ForwardFn = void (*)(const Out& out, const Value* args, Result& result);
using BackwardFn = void (*)(BackwardCall& call, const Value* args);

struct SaveRule {
  int8_t param = -1;  // parameter index, or -1 - k for output k
  bool shape_only = false;
  int8_t needs = -1;  // save only if this parameter requires grad
};

// What a forward function needs of the memory of its tensors. Ops that say nothing are refused on
// devices, because their code may read and write elements itself. Views and composites need not.
enum class DeviceUse : uint8_t {
  kHost,         // the host reads or writes elements
  kKernels,      // kernels, copies, fills and item() alone
  kElementwise,  // the same, and operands of the cpu without dimensions are taken as numbers
  kAnyMix,       // it looks after tensors of different devices itself
  kThroughHost,  // the host computes it from copies of the arguments, and the results are copied
                 // back
};

enum class Variant : uint8_t { kFunctional, kInplace };

struct OpInfo {
  const Schema* schema = nullptr;
  std::string name;  // "clamp", "clamp_"
  ForwardFn forward = nullptr;
  BackwardFn backward = nullptr;
  std::vector<SaveRule> saves;
  Value defaults[kMaxParams];

  Variant variant = Variant::kFunctional;
  bool composite = false;      // made of other ops: autograd sees those
  bool differentiable = true;  // false: outputs never require grad (comparisons, argmax...)
  bool view = false;           // the output is a view of the first argument
  bool writes_out = false;     // forward() itself writes to Out's destinations
  bool has_inplace = false;
  bool has_out = false;
  bool as_method = true;
  bool as_function = true;
  bool numbers_as_tensors = false;         // Python numbers are accepted for tensor parameters
  bool internal = false;                   // not a public name: backward kernels and the like
  uint32_t nondifferentiable_outputs = 0;  // bit mask (indices of sort, ...)
  Promote promote = Promote::kCommon;
  const char* kernel_name = nullptr;
  const KernelEntry* kernel = nullptr;         // resolved at first use
  const KernelEntry* device_kernel = nullptr;  // the same in the device's table
  DeviceUse device_use = DeviceUse::kHost;
  ForwardFn host_forward = nullptr;  // of kThroughHost: what computes it on the cpu
  bool takes_device = false;         // has a Device parameter, which decides where the result is

  std::string node_name;  // "ClampBackward0"
  const char* doc = "";
  std::vector<const char*> samples;  // argument lists for the registry test
  std::vector<std::string> aliases;
  std::string test_options;            // e.g. "nograd", "tol=1e-3": read by the registry test
  const OpInfo* functional = nullptr;  // of an in-place variant
  std::string inplace_name;            // when it is not name + "_"
  const OpInfo* inplace = nullptr;     // of a functional op that has one
  bool inplace_only = false;           // only the in-place variant is public (copy_, fill_...)
};

// Runs one call: checks, forward, history. `args` has schema->num_params values.
void dispatch(const OpInfo& op, const Value* args, Result& result);
// With explicit destinations (out=...). Raises when an argument requires grad.
void dispatch_out(const OpInfo& op, const Value* args, std::span<const Tensor> dest,
                  Result& result);

// True when autograd must record a call with these arguments.
bool any_requires_grad(const OpInfo& op, const Value* args);

// --- registry ----------------------------------------------------------------------------------
struct OverloadSet {
  std::string name;
  std::vector<const OpInfo*> ops;  // tried in order of definition
};

class Registry {
 public:
  static Registry& get();
  void add(OpInfo* op);  // called by PT_OP's static initialisers
  // All public and internal overload sets, in-place variants and aliases included.
  const std::vector<OverloadSet*>& sets() const { return sets_; }
  const OverloadSet* find(std::string_view name) const;

 private:
  void add_to_set(const std::string& name, const OpInfo* op);
  std::vector<OverloadSet*> sets_;
};

}  // namespace pt
