// CRC-32 as in zip archives, gzip and PNG (reflected polynomial 0xEDB88320). Used by saving and
// loading through the extension.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pt {

// The checksum of `n` bytes that follow bytes with checksum `crc` (0 at the start).
uint32_t crc32(uint32_t crc, const void* data, size_t n);

}  // namespace pt
