/* A loop's live values in memory. */
#include "kernel_lib/jit/engine/live_values.h"

using namespace llvm;

alignas(jit::LIVE_ALIGNMENT) char jit::live_values[LIVE_BYTES];

namespace {

constexpr unsigned BYTE = 8;

/* As memory holds it: integers of whole bytes. */
Type *type_in_memory(Type *type) {
    auto *integer = dyn_cast<IntegerType>(type);
    return integer ? IntegerType::get(type->getContext(), alignTo(integer->getBitWidth(), BYTE))
                   : type;
}

bool is_element(const Type *type) {
    return type->isFloatTy() || type->isDoubleTy() ||
           (type->isIntegerTy() && type->getIntegerBitWidth() <= 128);
}

bool has_place_in_memory(const Type *type) {
    if (auto *pointer = dyn_cast<PointerType>(type))
        return pointer->getAddressSpace() == 0;
    if (auto *vector = dyn_cast<FixedVectorType>(type))
        return is_element(vector->getElementType()) && type->getScalarSizeInBits() % BYTE == 0;
    return is_element(type);
}

/* One place behind the other. */
class Places {
  public:
    explicit Places(const DataLayout &layout) : layout(layout) {}

    /* Of the next value. */
    uint64_t next(Type *type) {
        uint64_t offset = alignTo(end_, align(type));
        end_ = offset + layout.getTypeAllocSize(type);
        return offset;
    }

    Align align(Type *type) const {
        return std::min(layout.getABITypeAlign(type), Align(jit::LIVE_ALIGNMENT));
    }
    uint64_t end() const { return end_; }

  private:
    const DataLayout &layout;
    uint64_t end_ = 0;
};

Value *address(IRBuilderBase &builder, Constant *memory, uint64_t offset) {
    return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), memory, offset);
}

} // namespace

bool jit::can_be_kept(const LoopHead &head) {
    Places places(head.block->getDataLayout());
    for (const Value *value : head.live) {
        if (!has_place_in_memory(value->getType()))
            return false;
        places.next(type_in_memory(value->getType()));
    }
    return places.end() <= LIVE_BYTES;
}

void jit::store_live(IRBuilderBase &builder, const LoopHead &head, Constant *memory) {
    Places places(head.block->getDataLayout());
    for (Value *value : head.live) {
        Type *type = type_in_memory(value->getType());
        Value *place = address(builder, memory, places.next(type));
        if (type->isIntegerTy())
            value = builder.CreateZExt(value, type);
        builder.CreateAlignedStore(value, place, places.align(type));
    }
}

std::vector<Value *> jit::load_live(IRBuilderBase &builder, const LoopHead &head,
                                    Constant *memory) {
    Places places(head.block->getDataLayout());
    std::vector<Value *> loaded;
    for (const Value *value : head.live) {
        Type *type = type_in_memory(value->getType());
        Value *place = address(builder, memory, places.next(type));
        Value *load = builder.CreateAlignedLoad(type, place, places.align(type));
        loaded.push_back(type->isIntegerTy() ? builder.CreateTrunc(load, value->getType()) : load);
    }
    return loaded;
}
