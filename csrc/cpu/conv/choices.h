// Where each way to compute a convolution is the quickest: written by tools/tune_conv.py.
//
// Not written by hand: measured values, one set for each instruction set. A machine uses those of
// its instruction set, whatever its maker: results depend on shape and instruction set alone.
#pragma once

#include <cstdint>

namespace pt::PT_ISA::conv {

#if defined(PT_ISA_IS_AVX512)
// model name Intel(R) Xeon(R) Processor, cpu family 6, model 167
inline constexpr int64_t kWinogradTiles = 16;
inline constexpr int64_t kWinogradChannels = 16;
inline constexpr int64_t kWinogradInputTiles = 4;
inline constexpr int64_t kWinogradInputChannels = 16;
inline constexpr int64_t kWinogradWeightTiles = 16;
inline constexpr int64_t kWinogradWeightChannels = 32;
inline constexpr int64_t kPointwisePixels = 256;
inline constexpr int64_t kPointwiseWeights = 65536;
inline constexpr int64_t kScatterChannels = 24;
inline constexpr int64_t kScatterRatio = 1;
inline constexpr int64_t kScatterPixels = 0;
#elif defined(PT_ISA_IS_AVX2)
// model name Intel(R) Xeon(R) Processor, cpu family 6, model 167
inline constexpr int64_t kWinogradTiles = 24, kWinogradChannels = 16;
inline constexpr int64_t kWinogradInputTiles = 24, kWinogradInputChannels = 16;
inline constexpr int64_t kWinogradWeightTiles = 8, kWinogradWeightChannels = 16;
inline constexpr int64_t kPointwisePixels = 128;
inline constexpr int64_t kPointwiseWeights = 16384;
inline constexpr int64_t kScatterChannels = 24, kScatterPixels = 0, kScatterRatio = 1;
#else
// model name Intel(R) Xeon(R) Processor, cpu family 6, model 167
inline constexpr int64_t kWinogradTiles = 16, kWinogradChannels = 16;
inline constexpr int64_t kWinogradInputTiles = 16, kWinogradInputChannels = 16;
inline constexpr int64_t kWinogradWeightTiles = 8, kWinogradWeightChannels = 16;
inline constexpr int64_t kPointwisePixels = 16;
inline constexpr int64_t kPointwiseWeights = 0;
inline constexpr int64_t kScatterChannels = 48, kScatterPixels = 49, kScatterRatio = 1;
#endif

}  // namespace pt::PT_ISA::conv
