#include "kernel_lib/jit/engine/debug_object.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"

namespace ELF = llvm::ELF;

enum Action : uint32_t { NO_ACTION, REGISTER, UNREGISTER };

extern "C" {

jit_descriptor __jit_debug_descriptor = {1, NO_ACTION, nullptr, nullptr};

/* Refers to the descriptor: the linker may make one function of those that are equal. */
__attribute__((noinline)) void __jit_debug_register_code() {
    asm volatile("" : : "r"(&__jit_debug_descriptor) : "memory");
}
}

namespace jit {

namespace {

void notify(Action action, jit_code_entry &entry) {
    __jit_debug_descriptor.action = action;
    __jit_debug_descriptor.relevant = &entry;
    __jit_debug_register_code();
}

/* Of sections, in the order of their headers. The names of sections are among those of symbols. */
enum Section : uint16_t { NO_SECTION, TEXT, SYMBOLS, STRINGS, SECTIONS };

class Strings {
  public:
    /* The offset of a new string. */
    uint32_t add(llvm::StringRef string) {
        size_t offset = bytes.size();
        bytes.append(string.begin(), string.end());
        bytes.push_back('\0');
        return static_cast<uint32_t>(offset);
    }

    llvm::SmallVector<char, 0> bytes = {'\0'}; /* offset 0 is no name */
};

template <typename Type> void append(llvm::SmallVectorImpl<char> &file, llvm::ArrayRef<Type> data) {
    auto *bytes = reinterpret_cast<const char *>(data.data());
    file.append(bytes, bytes + data.size() * sizeof(Type));
}

ELF::Elf64_Ehdr file_header(uint64_t section_headers) {
    ELF::Elf64_Ehdr header = {};
    memcpy(header.e_ident, ELF::ElfMagic, strlen(ELF::ElfMagic));
    header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
    header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
    header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
    header.e_type = ELF::ET_EXEC; /* values of symbols are addresses */
    header.e_machine = ELF::EM_X86_64;
    header.e_version = ELF::EV_CURRENT;
    header.e_shoff = section_headers;
    header.e_ehsize = sizeof(ELF::Elf64_Ehdr);
    header.e_shentsize = sizeof(ELF::Elf64_Shdr);
    header.e_shnum = SECTIONS;
    header.e_shstrndx = STRINGS;
    return header;
}

/* An ELF file: its header, symbols, strings and section headers, in this order. */
llvm::SmallVector<char, 0> elf_file(const char *begin, size_t size,
                                    llvm::ArrayRef<CodeSymbol> functions) {
    Strings strings;
    ELF::Elf64_Shdr sections[SECTIONS] = {};
    /* Without content: the code is where the addresses say. */
    sections[TEXT].sh_name = strings.add(".text");
    sections[TEXT].sh_type = ELF::SHT_NOBITS;
    sections[TEXT].sh_flags = ELF::SHF_ALLOC | ELF::SHF_EXECINSTR;
    sections[TEXT].sh_addr = reinterpret_cast<uintptr_t>(begin);
    sections[TEXT].sh_size = size;
    sections[TEXT].sh_addralign = 1;

    llvm::SmallVector<ELF::Elf64_Sym, 0> symbols(1 + functions.size()); /* the first is none */
    for (size_t i = 0; i < functions.size(); i++) {
        ELF::Elf64_Sym &symbol = symbols[1 + i];
        symbol.st_name = strings.add(functions[i].name);
        symbol.st_value = reinterpret_cast<uintptr_t>(functions[i].address);
        symbol.st_size = functions[i].size;
        symbol.st_shndx = TEXT;
        symbol.setBindingAndType(ELF::STB_GLOBAL, ELF::STT_FUNC);
    }
    sections[SYMBOLS].sh_name = strings.add(".symtab");
    sections[SYMBOLS].sh_type = ELF::SHT_SYMTAB;
    sections[SYMBOLS].sh_offset = sizeof(ELF::Elf64_Ehdr);
    sections[SYMBOLS].sh_size = symbols.size_in_bytes();
    sections[SYMBOLS].sh_link = STRINGS;
    sections[SYMBOLS].sh_info = 1; /* the first that is not local */
    sections[SYMBOLS].sh_addralign = alignof(ELF::Elf64_Sym);
    sections[SYMBOLS].sh_entsize = sizeof(ELF::Elf64_Sym);

    sections[STRINGS].sh_name = strings.add(".strtab");
    sections[STRINGS].sh_type = ELF::SHT_STRTAB;
    sections[STRINGS].sh_offset = sections[SYMBOLS].sh_offset + sections[SYMBOLS].sh_size;
    strings.bytes.resize(llvm::alignTo(strings.bytes.size(), alignof(ELF::Elf64_Shdr)));
    sections[STRINGS].sh_size = strings.bytes.size();
    sections[STRINGS].sh_addralign = 1;

    uint64_t headers = sections[STRINGS].sh_offset + sections[STRINGS].sh_size;
    llvm::SmallVector<char, 0> file;
    file.reserve(headers + sizeof sections);
    append<ELF::Elf64_Ehdr>(file, file_header(headers));
    append<ELF::Elf64_Sym>(file, symbols);
    append<char>(file, strings.bytes);
    append<ELF::Elf64_Shdr>(file, sections);
    return file;
}

} // namespace

DebugObject::DebugObject(const char *begin, size_t size, llvm::ArrayRef<CodeSymbol> symbols)
    : file(elf_file(begin, size, symbols)) {
    entry = {__jit_debug_descriptor.first, nullptr, file.data(), file.size()};
    if (entry.next)
        entry.next->previous = &entry;
    __jit_debug_descriptor.first = &entry;
    notify(REGISTER, entry);
}

DebugObject::~DebugObject() {
    (entry.previous ? entry.previous->next : __jit_debug_descriptor.first) = entry.next;
    if (entry.next)
        entry.next->previous = entry.previous;
    notify(UNREGISTER, entry);
}

} // namespace jit
