// Rows of a kernel table (cpu/pointwise_rows.h), included inside its braces by
// cpu/pointwise_activation.cpp and cuda/pointwise/activation.cu; the former says what the inputs
// are.
// clang-format off
PT_LOW_NUMBER_KERNEL("relu", 1, Relu),
PT_NUMBER_KERNEL("relu6", 1, Relu6),
PT_FLOAT_KERNEL("leaky_relu", 2, LeakyRelu),
PT_NUMBER_KERNEL("threshold", 3, Threshold),
PT_FLOAT_KERNEL("elu", 4, Elu),
PT_FLOAT_KERNEL("selu", 1, Selu),
PT_FLOAT_KERNEL("celu", 2, Celu),
PT_FLOAT_KERNEL("gelu", 1, Gelu),
PT_FLOAT_KERNEL("gelu_tanh", 1, GeluTanh),
PT_FLOAT_KERNEL("silu", 1, Silu),
PT_FLOAT_KERNEL("mish", 1, Mish),
PT_FLOAT_KERNEL("softplus", 3, Softplus),
PT_FLOAT_KERNEL("log_sigmoid", 1, LogSigmoid),
PT_FLOAT_KERNEL("softsign", 1, Softsign),
PT_NUMBER_KERNEL("hardtanh", 3, Clamp),
PT_FLOAT_KERNEL("hardsigmoid", 1, Hardsigmoid),
PT_FLOAT_KERNEL("hardswish", 1, Hardswish),
PT_FLOAT_KERNEL("hardshrink", 2, Hardshrink),
PT_FLOAT_KERNEL("softshrink", 2, Softshrink),
