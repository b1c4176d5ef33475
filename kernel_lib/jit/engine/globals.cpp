/* Memory and initial values of the application's global variables. */
#include "kernel_lib/jit/engine/globals.h"
#include "kernel_lib/jit/engine/pages.h"
#include "llvm/Analysis/ConstantFolding.h"

using namespace llvm;
using namespace jit;

namespace {

/* Writes constants without symbols to memory as the data layout says. */
class Writer {
  public:
    explicit Writer(const DataLayout &layout) : layout_(layout) {}

    /* to is zeroed. False when the kind of constant is unknown. */
    bool write(const Constant *constant, char *to) {
        if (isa<UndefValue>(constant) || isa<ConstantAggregateZero>(constant) ||
            isa<ConstantPointerNull>(constant))
            return true;
        if (auto *data = dyn_cast<ConstantDataSequential>(constant)) {
            StringRef bytes = data->getRawDataValues();
            memcpy(to, bytes.data(), bytes.size());
            return true;
        }
        if (auto *number = dyn_cast<ConstantInt>(constant))
            return write_bits(number->getValue(), to);
        if (auto *number = dyn_cast<ConstantFP>(constant))
            return write_bits(number->getValueAPF().bitcastToAPInt(), to);
        if (auto *expression = dyn_cast<ConstantExpr>(constant))
            return write_expression(expression, to);
        return isa<ConstantAggregate>(constant) &&
               write_elements(cast<ConstantAggregate>(constant), to);
    }

  private:
    static bool write_bits(const APInt &bits, char *to) {
        memcpy(to, bits.getRawData(), (bits.getBitWidth() + 7) / 8); /* little-endian, like x86 */
        return true;
    }

    /* An address is folded to a number only where it is not inside an aggregate. */
    bool write_expression(const ConstantExpr *expression, char *to) {
        if (expression->getOpcode() == Instruction::IntToPtr &&
            isa<ConstantInt>(expression->getOperand(0)))
            return write(expression->getOperand(0), to);
        const Constant *folded = ConstantFoldConstant(expression, layout_);
        return folded != expression && write(folded, to);
    }

    bool write_elements(const ConstantAggregate *aggregate, char *to) {
        auto *structure = dyn_cast<StructType>(aggregate->getType());
        for (unsigned i = 0; i < aggregate->getNumOperands(); i++) {
            const Constant *element = aggregate->getOperand(i);
            uint64_t offset =
                structure ? layout_.getStructLayout(structure)->getElementOffset(i).getFixedValue()
                          : i * layout_.getTypeAllocSize(element->getType()).getFixedValue();
            if (!write(element, to + offset))
                return false;
        }
        return true;
    }

    const DataLayout &layout_;
};

/* Places variables one after the other, in whole pages. */
class Layout {
  public:
    /* The offset for one of this size and alignment. */
    size_t add(size_t size, size_t alignment) {
        size_t offset = (size_ + alignment - 1) & ~(alignment - 1);
        size_ = offset + size;
        alignment_ = std::max(alignment_, alignment);
        return offset;
    }
    size_t size() const { return size_; }
    /* Of all of it. */
    size_t alignment() const { return alignment_; }

  private:
    size_t size_ = 0, alignment_ = PAGE_SIZE;
};

bool is_defined(const GlobalVariable &variable) {
    return variable.hasInitializer() && !variable.hasAvailableExternallyLinkage();
}

} // namespace

Constant *jit::pointer_constant(const void *address, PointerType *type) {
    auto *number = ConstantInt::get(Type::getInt64Ty(type->getContext()),
                                    reinterpret_cast<uintptr_t>(address));
    return ConstantExpr::getIntToPtr(number, type);
}

Value *Addresses::materialize(Value *value) {
    auto *symbol = dyn_cast<GlobalValue>(value);
    if (!symbol)
        return nullptr;
    if (auto *function = dyn_cast<Function>(symbol))
        if (function->isIntrinsic())
            return function;
    void *address = address_of_(*symbol);
    complete_ &= address || symbol->hasExternalWeakLinkage();
    return pointer_constant(address, symbol->getType());
}

Constant *Addresses::map(Constant *constant, const DataLayout &layout) {
    ValueToValueMapTy map;
    return ConstantFoldConstant(cast<Constant>(MapValue(constant, map, RF_None, nullptr, this)),
                                layout);
}

Globals::Globals(const Module &module, SetAddress set_address) {
    const DataLayout &layout = module.getDataLayout();
    Layout constants, variables;
    std::vector<std::pair<const GlobalVariable *, size_t>> offsets;
    for (const GlobalVariable &variable : module.globals()) {
        if (!is_defined(variable))
            continue;
        size_t size = layout.getTypeAllocSize(variable.getValueType()).getFixedValue();
        size_t alignment = layout.getPreferredAlign(&variable).value();
        Layout &place = variable.isConstant() ? constants : variables;
        offsets.emplace_back(&variable, place.add(size ? size : 1, alignment));
    }
    constants_size_ = whole_pages(constants.size());
    constants_ = allocate_pages(constants.size(), constants.alignment());
    char *start = allocate_pages(variables.size(), variables.alignment());
    for (auto [variable, offset] : offsets)
        set_address(*variable, (variable->isConstant() ? constants_ : start) + offset);
}

void Globals::initialise(const Module &module, const AddressOf &address_of) {
    Writer writer(module.getDataLayout());
    for (const GlobalVariable &variable : module.globals()) {
        if (!is_defined(variable))
            continue;
        Addresses addresses(address_of);
        Constant *value = addresses.map(const_cast<Constant *>(variable.getInitializer()),
                                        module.getDataLayout());
        std::string name = variable.getName().str();
        if (!addresses.complete())
            panic("JIT: the initial value of %s names a symbol that is not defined", name.c_str());
        if (!writer.write(value, static_cast<char *>(address_of(variable))))
            panic("JIT: the initial value of %s is of an unknown kind", name.c_str());
    }
    if (constants_size_)
        protect_pages(constants_, constants_size_, MEMORY_READ);
}
