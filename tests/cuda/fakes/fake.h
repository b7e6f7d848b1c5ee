// What the libraries made for tests share: complaints, and numbers of all types as double.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#define API extern "C" __attribute__((visibility("default")))

namespace {

enum Kind { kFloat, kDouble, kHalf, kBrain };

char complaint[200] = "";

// Keeps the first.
int complain(const char* what, int status) {
  if (!complaint[0]) std::snprintf(complaint, sizeof complaint, "%s", what);
  return status;
}

size_t size_of(Kind kind) { return kind == kDouble ? 8 : kind == kFloat ? 4 : 2; }

double half_to_double(uint16_t h) {
  const int exponent = h >> 10 & 31, fraction = h & 1023;
  double v = exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * 0x1p-25;
  for (int i = 0; exponent && i < exponent; ++i) v *= 2;
  return h >> 15 ? -v : v;
}
double read(const void* p, int64_t i, Kind kind) {
  if (kind == kDouble) return static_cast<const double*>(p)[i];
  if (kind == kFloat) return static_cast<const float*>(p)[i];
  const uint16_t bits = static_cast<const uint16_t*>(p)[i];
  if (kind == kHalf) return half_to_double(bits);
  const uint32_t wide = uint32_t{bits} << 16;
  float f;
  std::memcpy(&f, &wide, sizeof f);
  return f;
}
// The tests' results are whole numbers that half types hold exactly.
void write(void* p, int64_t i, Kind kind, double v) {
  if (kind == kDouble) {
    static_cast<double*>(p)[i] = v;
  } else if (kind == kFloat) {
    static_cast<float*>(p)[i] = static_cast<float>(v);
  } else if (kind == kBrain) {
    const float f = static_cast<float>(v);
    uint32_t bits;
    std::memcpy(&bits, &f, sizeof bits);
    static_cast<uint16_t*>(p)[i] = static_cast<uint16_t>(bits >> 16);
  } else {
    int exponent = 0;
    const double fraction = std::frexp(std::fabs(v), &exponent);  // of [0.5, 1), or 0
    const int bits = v == 0 ? 0 : (exponent + 14) * 1024 + static_cast<int>(fraction * 2048) - 1024;
    static_cast<uint16_t*>(p)[i] = static_cast<uint16_t>(bits | (v < 0 ? 0x8000 : 0));
  }
}

}  // namespace

API const char* fake_complaint() { return complaint; }
