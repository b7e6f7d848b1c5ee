// Text building for error messages; cold code kept out of headers.
#include "core/error.h"

#include <charconv>
#include <cmath>

namespace pt {

namespace text {
template <class T>
static void append_number(std::string& s, T v) {
  char buffer[32];
  const auto r = std::to_chars(buffer, buffer + sizeof buffer, v);
  s.append(buffer, r.ptr);
}
void append(std::string& s, std::string_view v) { s.append(v); }
void append(std::string& s, const char* v) { s.append(v); }
void append(std::string& s, char v) { s.push_back(v); }
void append(std::string& s, bool v) { s.append(v ? "True" : "False"); }
void append(std::string& s, int v) { append_number(s, v); }
void append(std::string& s, unsigned v) { append_number(s, v); }
void append(std::string& s, long v) { append_number(s, v); }
void append(std::string& s, unsigned long v) { append_number(s, v); }
void append(std::string& s, long long v) { append_number(s, v); }
void append(std::string& s, unsigned long long v) { append_number(s, v); }
void append(std::string& s, double v) { append_number(s, v); }
}  // namespace text

void throw_error(ErrorKind kind, std::string message) { throw Error(kind, message); }

}  // namespace pt
