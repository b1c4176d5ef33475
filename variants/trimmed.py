"""trimmed: the full image's objects, linked without the functions of LLVM that the workload never called. It
still interprets, profiles and compiles. A call of a removed function writes its name to the disk, and boots
full if the disk has it."""

from dataclasses import replace
from pathlib import Path

from bareflow.trim.trimming import RemovedData
from bareflow.variant import load_variant

DESCRIPTIONS = "libLLVMX86Desc.a(X86MCTargetDesc.cpp.o)"
LIBRARY = "libLLVMAnalysis.a(TargetLibraryInfo.cpp.o)"
COMPILER = [
    *("Analysis", "CodeGen", "InstCombine", "ScalarOpts", "SelectionDAG", "TransformUtils", "Vectorize"),
    "X86CodeGen",
]
CONTAINERS = [
    *("DenseMap", "DenseSet", "FoldingSet", "MapVector", "SetVector", "SmallDenseMap", "SmallPtrSet"),
    *("SmallSet", "SmallVector", "StringMap"),
]
STANDARD_CONTAINERS = ["3map", "5deque", "6vector", "8_Rb_tree", "10_Hashtable"]
# Vector mathematics of libraries other than libm, which only an option would choose.
VECTOR_LIBRARIES = [
    "_ZL13VecFuncs_SVML",
    "_ZL14VecFuncs_ArmPL",
    "_ZL14VecFuncs_MASSV",
    "_ZL16VecFuncs_AMDLIBM",
    "_ZL19VecFuncs_Accelerate",
    "_ZL20VecFuncs_LIBMVEC_X86",
    "_ZL24VecFuncs_LIBMVEC_AARCH64",
    "_ZL24VecFuncs_SLEEFGNUABI_VF2",
    "_ZL24VecFuncs_SLEEFGNUABI_VF4",
    "_ZL25VecFuncs_DarwinLibSystemM",
    "_ZL31VecFuncs_SLEEFGNUABI_VFScalable",
    "_ZL36VecFuncs_SLEEFGNUABI_VFScalableRISCV",
]

FULL = load_variant(Path(__file__).parent, "full", "x86_64")
TRIMMING = replace(
    FULL.trimming,
    # Their code runs while something is compiled, which can be given up in the middle. Core is not among
    # them, because interpreted code consists of its objects.
    in_parts=[f"libLLVM{name}.a" for name in COMPILER],
    # It is chance whether a table has to grow, two entries have the same hash value, an entry exists already,
    # or a number between two others is free.
    not_in_parts=[
        rf"^_ZNK?(4llvm\d+({'|'.join(CONTAINERS)})|St({'|'.join(STANDARD_CONTAINERS)}))",
        r"^_ZNK?4llvm(12SelectionDAG|15ScalarEvolution)\d+get",
        "InstrPosIndexes8getIndex",
        # What they look at changes with the profile: the size, how many loops, which comparisons, how many
        # tail calls.
        "shouldFullUnroll",
        r"14CodeGenPrepare4_runE",
        r"12LoopInfoBaseI\w+7analyzeE",
        "isImpliedCondICmps",
    ],
    # What is next to an inlined container: another bucket of a table, the next block of an allocator.
    shortest_part=48,
    removed_data=[
        # Names of instructions and of their scheduling classes: for dumps and debug output.
        RemovedData(DESCRIPTIONS, ".rodata._ZN4llvm16X86InstrNameDataE"),
        RemovedData(DESCRIPTIONS, ".rodata._ZN4llvm19X86InstrNameIndicesE"),
        RemovedData(DESCRIPTIONS, ".data.rel.ro._ZN4llvmL18X86SchedClassNamesE"),
        RemovedData(DESCRIPTIONS, ".rodata._ZN4llvmL25X86SchedClassNamesStorageE"),
        *(RemovedData(LIBRARY, f".bss.{name}") for name in VECTOR_LIBRARIES),
    ],
    # Its constructors only fill in the tables of the vector libraries.
    unconstructed=[LIBRARY],
)

VARIANT = replace(
    FULL,
    summary="full, less the functions that the workload never called, and parts of others",
    compression=19,
    trimmed_from="full",
    trimming=TRIMMING,
)
