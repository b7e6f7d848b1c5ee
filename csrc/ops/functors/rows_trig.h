// Rows of a kernel table (cpu/pointwise_rows.h), included inside its braces by
// cpu/pointwise_trig.cpp and cuda/pointwise/trig.cu; the former says what the inputs are.
// clang-format off
PT_FLOAT_KERNEL("sin", 1, Sin),   PT_FLOAT_KERNEL("cos", 1, Cos),
PT_FLOAT_KERNEL("tan", 1, Tan),   PT_FLOAT_KERNEL("asin", 1, Asin),
PT_FLOAT_KERNEL("acos", 1, Acos), PT_FLOAT_KERNEL("atan", 1, Atan),
PT_FLOAT_KERNEL("sinc", 1, Sinc), PT_FLOAT_KERNEL("atan2", 2, Atan2),
PT_FLOAT_KERNEL("erf", 1, Erf),   PT_FLOAT_KERNEL("erfc", 1, Erfc),
PT_FLOAT_KERNEL("ndtr", 1, Ndtr),
