// Losses of pairs and triples of vectors, and of class scores against margins.
#pragma once

#include "op/op.h"

namespace pt {

inline constexpr Op<
    "margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, "
    "int reduction=0) -> Tensor">
    margin_ranking_loss;
inline constexpr Op<
    "cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, "
    "int reduction=0) -> Tensor">
    cosine_embedding_loss;
inline constexpr Op<
    "triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, "
    "float p=2.0, float eps=1e-06, bool swap=False, int reduction=0) -> Tensor">
    triplet_margin_loss;
inline constexpr Op<
    "_multi_margin_loss(Tensor self, Tensor target, int p=1, float margin=1.0, "
    "Tensor? weight=None, int reduction=1) -> Tensor">
    multi_margin_loss;
// target: class indices of each row, up to the first -1.
inline constexpr Op<
    "_multilabel_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor">
    multilabel_margin_loss;
// The losses of rows, and grad of each row times the slope of its elements.
inline constexpr Op<"_multilabel_margin_rows(Tensor self, Tensor target) -> Tensor">
    multilabel_margin_rows;
inline constexpr Op<
    "_multilabel_margin_rows_backward(Tensor grad, Tensor self, Tensor target) -> Tensor">
    multilabel_margin_rows_backward;

}  // namespace pt
