// CTC loss. See ctc.h.
//
// The gradient is that of PyTorch: it holds for log probabilities that come from log_softmax, and
// its own gradient is not defined.
#include "ops/loss/ctc.h"

#include <algorithm>
#include <vector>

#include "op/call_table.h"
#include "op/copy.h"
#include "ops/index/selection.h"
#include "ops/loss/reduction.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/pointwise/compare.h"
#include "ops/pointwise/unary.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"

namespace pt {

namespace {

const Kernel<CtcFn> kForward{"ctc"}, kBackward{"ctc_backward"};
constexpr const char* kChecking = " (while checking arguments for ctc_loss_allocate_outputs)";

struct Call {
  Tensor log_probs, targets;
  std::vector<int64_t> offsets, inputs, labels;
  CallTables tables;
  CtcArgs a;

  Call(const Tensor& probabilities, const Tensor& given, IntList input_lengths,
       IntList target_lengths, int64_t blank) {
    PT_CHECK_KIND(
        ErrorKind::kNotImplemented, probabilities.is_floating() && !is_half(probabilities.dtype()),
        "\"ctc_loss_cpu\" not implemented for '", scalar_type_name(probabilities.dtype()), "'");
    PT_CHECK(probabilities.dim() == 3, "Expected 3-dimensional tensor, but got ",
             probabilities.dim(), "-dimensional tensor for argument #1 'log_probs'", kChecking);
    PT_CHECK(!given.is_floating() && given.dtype() != DType::kBool, "targets must be integral");
    log_probs = as_contiguous(probabilities);
    targets = as_contiguous(cast_to(given, DType::kInt64));
    a.in = log_probs.raw();
    a.steps = log_probs->sizes[0];
    a.batch = log_probs->sizes[1];
    a.classes = log_probs->sizes[2];
    a.blank = blank;
    const auto batch = static_cast<size_t>(a.batch);
    PT_CHECK(blank >= 0 && blank < a.classes, "blank must be in label range");
    PT_CHECK(input_lengths.size() == batch, "input_lengths must be of size batch_size");
    PT_CHECK(target_lengths.size() == batch, "target_lengths must be of size batch_size");
    lay_out(target_lengths);
    for (int64_t n : input_lengths) {
      PT_CHECK(n >= 0, "Expected input_lengths to have value at least 0, but got value ", n,
               kChecking);
      PT_CHECK(n <= a.steps, "Expected input_lengths to have value at most ", a.steps,
               ", but got value ", n, kChecking);
    }
    a.targets = targets.data<int64_t>();
    inputs.assign(input_lengths.begin(), input_lengths.end());
    labels.assign(target_lengths.begin(), target_lengths.end());
    if (!call_on_device) check_labels(target_lengths);
    a.target_offsets = tables.of(offsets);
    a.target_lengths = tables.of(labels);
    a.input_lengths = tables.of(inputs);
    a.alpha_stride = a.steps * (a.max_states + kCtcPadding);
  }

  // Targets are concatenated, or a row for each sequence.
  void lay_out(IntList lengths) {
    int64_t longest = 0, total = 0;
    for (int64_t n : lengths) {
      PT_CHECK(n >= 0, "Expected target_lengths to have value at least 0, but got value ", n,
               kChecking);
      offsets.push_back(total);
      total += n;
      longest = std::max(longest, n);
    }
    if (targets.dim() == 1) {
      PT_CHECK(targets.numel() == total, "Expected tensor to have size ", total,
               " at dimension 0, but got size ", targets.numel(), " for argument #2 'targets'",
               kChecking);
    } else {
      PT_CHECK(targets.dim() == 2, "Expected 1 to 2 dimensions, but got ", targets.dim(),
               "-dimensional tensor for argument #2 'targets'", kChecking);
      PT_CHECK(targets->sizes[0] == a.batch, "Expected tensor to have size ", a.batch,
               " at dimension 0, but got size ", targets->sizes[0], " for argument #2 'targets'",
               kChecking);
      PT_CHECK(targets->sizes[1] >= longest, "Expected tensor to have size at least ", longest,
               " at dimension 1, but got size ", targets->sizes[1], " for argument #2 'targets'",
               kChecking);
      for (size_t i = 0; i < offsets.size(); ++i)
        offsets[i] = static_cast<int64_t>(i) * targets->sizes[1];
    }
    a.max_states = 2 * longest + 1;
  }

  void check_labels(IntList lengths) const {
    const int64_t* t = targets.data<int64_t>();
    for (size_t n = 0; n < lengths.size(); ++n) {
      for (int64_t i = 0; i < lengths[n]; ++i) {
        const int64_t label = t[offsets[n] + i];
        PT_CHECK_INDEX(label >= 0 && label < a.classes, "ctc_loss(): label ", label,
                       " is out of bounds for ", a.classes, " classes");
      }
    }
  }
};

std::vector<int64_t> lengths_of(const char* name, const Tensor& t) {
  PT_CHECK(!t.is_floating() && t.dtype() != DType::kBool, name, " must be integral");
  const Tensor whole = as_contiguous(copy_to(t, DType::kInt64, Device()));
  const int64_t* v = whole.data<int64_t>();
  return {v, v + whole.numel()};
}

Tensor reduced(const Tensor& losses, const Tensor& log_probs, IntList target_lengths,
               int64_t reduction, bool zero_infinity) {
  Tensor kept = losses;
  if (zero_infinity) kept = where(eq(losses, __builtin_inf()), 0.0, losses);
  if (loss_reduction(reduction) == LossReduction::kMean) {
    const Tensor lengths =
        empty_tensor({{static_cast<int64_t>(target_lengths.size())}}, DType::kFloat64, Device());
    for (size_t i = 0; i < target_lengths.size(); ++i)
      lengths.data<double>()[i] = static_cast<double>(std::max<int64_t>(1, target_lengths[i]));
    return mean(div(kept, copy_to(lengths, log_probs.dtype(), log_probs.device())));
  }
  return reduce_loss(kept, reduction);
}

}  // namespace

PT_OP(ctc_loss)
    .composite([](const Tensor& log_probs, const Tensor& targets, IntList input_lengths,
                  IntList target_lengths, int64_t blank, int64_t reduction, bool zero_infinity) {
      const bool batched = log_probs.dim() != 2;  // a single sequence comes without its dimension
      const Tensor three = batched ? log_probs : unsqueeze(log_probs, 1);
      const Tensor all = std::get<0>(
          ctc_losses(three, targets, input_lengths, target_lengths, blank, zero_infinity));
      const Tensor losses = batched ? all : select(all, 0, 0);
      return reduced(losses, log_probs, target_lengths, reduction, zero_infinity);
    })
    .function_only()
    .doc(
        "The connectionist temporal classification loss of label sequences.\n\n"
        "Args:\n    log_probs: (T, N, C) or (T, C), from log_softmax\n"
        "    targets: labels, (N, S) or all of them concatenated\n"
        "    input_lengths, target_lengths: of each sequence\n"
        "    blank (int): the class that stands for no label\n"
        "    reduction (int): 0 for none, 1 for the mean, 2 for the sum\n"
        "    zero_infinity (bool): losses of targets that do not fit count as 0")
    .sample("R(6, 2, 4).log_softmax(2), torch.tensor([[1, 2], [3, 3]]), (6, 5), (2, 2)")
    .sample("R(6, 2, 4).log_softmax(2), torch.tensor([1, 2, 1]), (6, 1), (1, 2), 3, 1, True")
    .test("nograd");  // the gradient is that of log_softmax's input

PT_OP(ctc_loss_tensor)
    .composite([](const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                  const Tensor& target_lengths, int64_t blank, int64_t reduction,
                  bool zero_infinity) {
      const auto inputs = lengths_of("input_lengths", input_lengths);
      const auto labels = lengths_of("target_lengths", target_lengths);
      return ctc_loss(log_probs, targets, IntList(inputs), IntList(labels), blank, reduction,
                      zero_infinity);
    })
    .function_only()
    .sample(
        "R(6, 2, 4).log_softmax(2), torch.tensor([[1, 2], [3, 3]]), torch.tensor([6, 5]), "
        "torch.tensor([2, 2]), 0, 2")
    .test("nograd");  // as above

PT_OP(ctc_losses)
    .on_device()
    .impl([](const Tensor& log_probs, const Tensor& targets, IntList input_lengths,
             IntList target_lengths, int64_t blank, bool) {
      Call call(log_probs, targets, input_lengths, target_lengths, blank);
      const Tensor alpha = empty_tensor({{call.a.batch, call.a.alpha_stride}}, DType::kFloat64);
      const Tensor losses = empty_tensor({{call.a.batch}}, log_probs.dtype());
      call.a.alpha = alpha.data<double>();
      call.a.losses = losses.raw();
      kForward.get(log_probs.dtype())(call.a);
      return std::tuple(losses, alpha);
    })
    .saves("log_probs, targets, result1")
    .backward([](BackwardCall& g, const Tensor& log_probs, const Tensor& targets,
                 IntList input_lengths, IntList target_lengths, int64_t blank, bool zero_infinity) {
      g[0] = ctc_losses_backward(g.grad(), log_probs, targets, input_lengths, target_lengths,
                                 g.result(1), blank, zero_infinity);
    })
    .nondifferentiable_output(1)
    .node_name("CtcLossBackward0")
    .internal();

PT_OP(ctc_losses_backward)
    .on_device()
    .impl([](const Tensor& grad, const Tensor& log_probs, const Tensor& targets,
             IntList input_lengths, IntList target_lengths, const Tensor& log_alpha, int64_t blank,
             bool zero_infinity) {
      Call call(log_probs, targets, input_lengths, target_lengths, blank);
      const Tensor out = empty_tensor(log_probs.sizes(), log_probs.dtype());
      const Tensor g = as_contiguous(grad);
      call.a.alpha = log_alpha.data<double>();
      call.a.grad = g.raw();
      call.a.zero_infinity = zero_infinity;
      call.a.out = out.raw();
      kBackward.get(log_probs.dtype())(call.a);
      return out;
    })
    .internal();

}  // namespace pt
