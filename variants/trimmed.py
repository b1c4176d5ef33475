"""trimmed: the full image's objects, linked without the functions of LLVM that the workload never called. It
still interprets, profiles and compiles; a call of what is gone names itself and leads back to full."""

from dataclasses import replace
from pathlib import Path

from bareflow.variant import SharedEntries, load_variant

FULL = load_variant(Path(__file__).parent, "full", "x86_64")

VARIANT = replace(
    FULL,
    summary="full, less the functions that the workload never called",
    compressed=True,
    trimmed_from="full",
    # What runs that are not in the workload have called.
    missed=["variants/missed.txt"],
    shared_entries=[
        # Every CPU gets the scheduling model that the JIT's baseline, x86-64, has; less than half of the CPUs
        # have one of their own, and each is over 50 KB.
        SharedEntries(
            file="libLLVMX86Desc.a(X86MCTargetDesc.cpp.o)",
            table=".data.rel.ro._ZN4llvm12X86SubTypeKVE",
            entries=r"\.data\.rel\.ro\._ZN4llvmL\d+(?!Generic)\w+ModelE",
            kept="_ZN4llvmL16SandyBridgeModelE",
        )
    ],
)
