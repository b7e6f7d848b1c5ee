// The table of kernels that were made of PTX. A launch names a kernel by the host's function; its
// symbol, read from this library's own file, is the name under which nvcc compiled it.
#ifdef PT_EMU_PTX

#include "cuda/emu/ptx.h"

#include <dlfcn.h>
#include <elf.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace pt::emu {

namespace {

std::map<std::string, PtxKernel>& kernels() {
  static std::map<std::string, PtxKernel> all;
  return all;
}

// nvcc and the host's compiler name anonymous namespaces differently, and static functions have an
// L.
std::string plain(const std::string& symbol) {
  std::string out;
  for (size_t i = 0; i < symbol.size();) {
    size_t digits = i;
    while (digits < symbol.size() && isdigit(symbol[digits])) ++digits;
    if (digits > i && symbol.compare(digits, 10, "_GLOBAL__N") == 0) {
      out += "12_GLOBAL__N_1";
      i = digits + std::stoul(symbol.substr(i, digits - i));
    } else if (digits > i) {
      const size_t length = std::stoul(symbol.substr(i, digits - i));
      const size_t end = std::min(symbol.size(), digits + length);
      out += symbol.substr(i, end - i);
      i = end;
    } else {
      out += symbol[i++];
    }
  }
  return out;
}

struct Symbol {
  std::string file, name;
};

// The functions of this library by address, with the file each comes from.
std::map<uintptr_t, Symbol> read_symbols() {
  std::map<uintptr_t, Symbol> found;
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&read_symbols), &info)) return found;
  std::FILE* file = std::fopen(info.dli_fname, "rb");
  if (!file) return found;
  std::vector<char> bytes;
  char part[65536];
  for (size_t n; (n = std::fread(part, 1, sizeof part, file)) > 0;)
    bytes.insert(bytes.end(), part, part + n);
  std::fclose(file);
  const auto* head = reinterpret_cast<const Elf64_Ehdr*>(bytes.data());
  const auto* sections = reinterpret_cast<const Elf64_Shdr*>(bytes.data() + head->e_shoff);
  for (int s = 0; s < head->e_shnum; ++s) {
    if (sections[s].sh_type != SHT_SYMTAB) continue;
    const auto* symbols = reinterpret_cast<const Elf64_Sym*>(bytes.data() + sections[s].sh_offset);
    const char* names = bytes.data() + sections[sections[s].sh_link].sh_offset;
    std::string source;
    for (size_t i = 0; i < sections[s].sh_size / sizeof(Elf64_Sym); ++i) {
      const char* name = names + symbols[i].st_name;
      const int type = ELF64_ST_TYPE(symbols[i].st_info);
      if (type == STT_FILE) source = name;
      if (type == STT_FUNC && symbols[i].st_value)
        found[reinterpret_cast<uintptr_t>(info.dli_fbase) + symbols[i].st_value] = {source, name};
    }
  }
  return found;
}

}  // namespace

const PtxKernel* ptx_kernel(const void* kernel, const char* name) {
  static const std::map<uintptr_t, Symbol> symbols = read_symbols();
  const auto symbol = symbols.find(reinterpret_cast<uintptr_t>(kernel));
  if (symbol == symbols.end()) {
    report("kernel %s has no symbol: the library must not be stripped", name);
    return nullptr;
  }
  const std::string plain_name = plain(symbol->second.name);
  auto found = kernels().find(symbol->second.file + ":" + plain_name);
  // Templates of headers are compiled in many files, and the linker keeps one.
  if (found == kernels().end()) found = kernels().find(":" + plain_name);
  if (found == kernels().end()) {
    report("no PTX of kernel %s (%s)", name, plain_name.c_str());
    return nullptr;
  }
  return &found->second;
}

namespace ptx {

Registration::Registration(const char* file, const char* name,
                           void (*run)(const unsigned char*, char*, uint32_t), uint32_t shared) {
  kernels()[std::string(file) + ":" + plain(name)] = {run, shared};
  kernels().emplace(":" + plain(name), PtxKernel{run, shared});
}

}  // namespace ptx

}  // namespace pt::emu

#endif  // PT_EMU_PTX
