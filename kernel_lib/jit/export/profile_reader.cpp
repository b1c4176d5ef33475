#include "kernel_lib/jit/export/profile_reader.h"

using namespace llvm;

Expected<std::unique_ptr<jit::ProfileReader>>
jit::ProfileReader::read(StringRef text, ArrayRef<Function *> functions) {
    auto reader = std::make_unique<ProfileReader>();
    for (const Function *function : functions)
        reader->names.push_back(function->getName().str());
    reader->records.resize(functions.size());
    for (size_t i = 0; i < functions.size(); i++) {
        reader->records[i].name = reader->names[i].c_str();
        reader->pointers.push_back(&reader->records[i]);
    }
    reader->profile.functions = reader->pointers.data();
    reader->profile.count = functions.size();
    struct error why;
    if (!profile_parse(&reader->profile, text.data(), text.size(), &why))
        return createStringError("the profile cannot be used: " + Twine(why.text));
    return reader;
}
