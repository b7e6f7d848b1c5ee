// The ops that the machinery itself is written with: the engine, view history, indexing.
#pragma once

#include "ops/memory/memory.h"
#include "ops/pointwise/arithmetic.h"
#include "ops/reduce/sum.h"
#include "ops/view/view.h"
