// The structures of DLPack 1.0, the exchange of tensors between libraries without copies; see the
// specification at dmlc.github.io/dlpack. Layout and numbers are fixed by it.
#pragma once

#include <cstdint>

namespace pt::dlpack {

inline constexpr uint32_t kMajorVersion = 1;
inline constexpr uint32_t kMinorVersion = 0;

inline constexpr int32_t kCpu = 1, kCuda = 2, kCudaHost = 3;

enum TypeCode : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6 };

inline constexpr uint64_t kReadOnly = 1;
inline constexpr uint64_t kIsCopied = 2;

struct Device {
  int32_t type;
  int32_t id;
};

struct DataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

struct Array {
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: row-major
  uint64_t byte_offset;
};

// In capsules named "dltensor".
struct Managed {
  Array array;
  void* context;
  void (*deleter)(Managed*);
};

// In capsules named "dltensor_versioned".
struct ManagedVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(ManagedVersioned*);
  uint64_t flags;
  Array array;
};

}  // namespace pt::dlpack
