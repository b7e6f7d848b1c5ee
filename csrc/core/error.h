// Errors: pt::Error carries which Python exception class it becomes; PT_CHECK raises it.
// Messages follow PyTorch's wording where programs and people know it, and name op and argument.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pt {

enum class ErrorKind : uint8_t {
  kRuntime,
  kValue,
  kType,
  kIndex,
  kNotImplemented,
  kZeroDivision,
  kAssertion,
  kLinAlg,
  kBuffer,
  kOverflow,
  kAttribute,
  kOutOfMemory,  // of a device
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

namespace text {
void append(std::string& s, std::string_view v);
void append(std::string& s, const char* v);
void append(std::string& s, char v);
void append(std::string& s, bool v);
void append(std::string& s, int v);
void append(std::string& s, unsigned v);
void append(std::string& s, long v);
void append(std::string& s, unsigned long v);
void append(std::string& s, long long v);
void append(std::string& s, unsigned long long v);
void append(std::string& s, double v);
}  // namespace text

// Concatenates values into one string; types with a `to_text(const T&)` found by ADL also work.
// Numbers and literals are excluded: they convert to Scalar, which has a to_text.
template <class T>
concept HasToText = !std::is_arithmetic_v<T> && !std::is_pointer_v<T> && requires(const T& v) {
  { to_text(v) } -> std::convertible_to<std::string>;
};

template <class... A>
std::string concat(const A&... parts) {
  std::string s;
  auto one = [&s](const auto& v) {
    if constexpr (HasToText<std::decay_t<decltype(v)>>) {
      s += to_text(v);
    } else {
      text::append(s, v);
    }
  };
  (one(parts), ...);
  return s;
}

[[noreturn]] void throw_error(ErrorKind kind, std::string message);

template <class... A>
[[noreturn]] __attribute__((noinline, cold)) void raise(ErrorKind kind, const A&... parts) {
  throw_error(kind, concat(parts...));
}

#define PT_CHECK_KIND(kind, condition, ...) \
  do {                                      \
    if (!(condition)) [[unlikely]]          \
      ::pt::raise(kind, __VA_ARGS__);       \
  } while (0)
#define PT_CHECK(condition, ...) PT_CHECK_KIND(::pt::ErrorKind::kRuntime, condition, __VA_ARGS__)
#define PT_CHECK_VALUE(condition, ...) \
  PT_CHECK_KIND(::pt::ErrorKind::kValue, condition, __VA_ARGS__)
#define PT_CHECK_TYPE(condition, ...) PT_CHECK_KIND(::pt::ErrorKind::kType, condition, __VA_ARGS__)
#define PT_CHECK_INDEX(condition, ...) \
  PT_CHECK_KIND(::pt::ErrorKind::kIndex, condition, __VA_ARGS__)

}  // namespace pt
