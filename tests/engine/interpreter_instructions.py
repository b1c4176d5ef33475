"""Functions in LLVM IR for every kind of instruction and intrinsic on every type that it is for: what
test_interpreter.cpp runs both in the interpreter and as native code.

Each function takes a seed, makes its operands from it, and returns one number that depends on all of the
result. The names begin with "compiled_" where the interpreter is expected to refuse.

bareflow/engine/function_table.py makes a module of them.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

INTEGERS = [8, 16, 24, 32, 64, 128]
FLOATS = ["float", "double"]
VECTORS = ["<4 x i32>", "<8 x i16>", "<2 x i64>", "<16 x i8>", "<4 x float>", "<2 x double>", "<3 x i32>"]
PREDICATES = ["eq", "ne", "ugt", "uge", "ult", "ule", "sgt", "sge", "slt", "sle"]
FLOAT_PREDICATES = ["false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"]
FLOAT_PREDICATES += ["ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"]


def element(kind: str) -> str:
    return kind.split(" x ")[1].rstrip(">") if kind.startswith("<") else kind


def lanes(kind: str) -> int:
    return int(kind[1:].split(" x ")[0]) if kind.startswith("<") else 0


def is_float(kind: str) -> bool:
    return element(kind) in FLOATS


def width(kind: str) -> int:
    return {"float": 32, "double": 64}.get(element(kind)) or int(element(kind)[1:])


def with_element(kind: str, scalar: str) -> str:
    return f"<{lanes(kind)} x {scalar}>" if lanes(kind) else scalar


def mangled(kind: str) -> str:
    scalar = {"float": "f32", "double": "f64"}.get(element(kind), element(kind))
    return f"v{lanes(kind)}{scalar}" if lanes(kind) else scalar


@dataclass
class Case:
    """The body of one function, as it is written."""

    name: str
    lines: list[str] = field(default_factory=list)
    values: int = 0

    def add(self, text: str) -> str:
        self.values += 1
        self.lines.append(f"  %v{self.values} = {text}")
        return f"%v{self.values}"

    def operand(self, kind: str) -> str:
        """A value that depends on the seed."""
        if lanes(kind):
            vector = "poison"
            for lane in range(lanes(kind)):
                scalar = self.operand(element(kind))
                vector = self.add(f"insertelement {kind} {vector}, {element(kind)} {scalar}, i64 {lane}")
            return vector
        self.values += 1
        if is_float(kind):
            return self.add(f"call {kind} @test_{kind}(i64 %seed, i64 {self.values})")
        bits = self.add(f"call i64 @test_mix(i64 %seed, i64 {self.values})")
        if width(kind) == 64:
            return bits
        if width(kind) < 64:
            return self.add(f"trunc i64 {bits} to {kind}")
        high = self.add(f"call i64 @test_mix(i64 {bits}, i64 99)")
        low, high = (self.add(f"zext i64 {half} to i128") for half in (bits, high))
        return self.add(f"or i128 {low}, {self.add(f'shl i128 {high}, 64')}")

    def number(self, kind: str, value: str) -> str:
        """The value as an i64; all that are no number are the same."""
        if lanes(kind):
            total = "0"
            for lane in range(lanes(kind)):
                part = self.number(element(kind), self.add(f"extractelement {kind} {value}, i64 {lane}"))
                total = self.add(f"call i64 @test_mix(i64 {total}, i64 {part})")
            return total
        if is_float(kind):
            bits = self.add(f"bitcast {kind} {value} to i{width(kind)}")
            whole = bits if width(kind) == 64 else self.add(f"zext i32 {bits} to i64")
            unordered = self.add(f"fcmp uno {kind} {value}, {value}")
            return self.add(f"select i1 {unordered}, i64 1, i64 {whole}")
        if width(kind) == 64:
            return value
        if width(kind) < 64:
            return self.add(f"zext {kind} {value} to i64")
        low = self.add(f"trunc {kind} {value} to i64")
        high = self.add(f"trunc {kind} {self.add(f'lshr {kind} {value}, 64')} to i64")
        return self.add(f"call i64 @test_mix(i64 {low}, i64 {high})")

    def finish(self, kind: str, value: str) -> "Case":
        self.lines.append(f"  ret i64 {self.number(kind, value)}")
        return self

    def text(self) -> str:
        return "\n".join([f"define internal i64 @{self.name}(i64 %seed) {{", *self.lines, "}"])


def splat(kind: str, value: int) -> str:
    return f"splat (i{width(kind)} {value})" if lanes(kind) else str(value)


def binary(operation: str, kind: str) -> Case:
    case = Case(f"{operation}_{mangled(kind)}")
    a, b = case.operand(kind), case.operand(kind)
    if operation in ("shl", "lshr", "ashr"):
        b = case.add(f"urem {kind} {b}, {splat(kind, width(kind))}")
    if operation in ("udiv", "sdiv", "urem", "srem"):  # neither by 0 nor by -1
        b = case.add(f"or {kind} {case.add(f'lshr {kind} {b}, {splat(kind, 1)}')}, {splat(kind, 1)}")
    return case.finish(kind, case.add(f"{operation} {kind} {a}, {b}"))


def compare(operation: str, predicate: str, kind: str) -> Case:
    case = Case(f"{operation}_{predicate}_{mangled(kind)}")
    a, b = case.operand(kind), case.operand(kind)
    if predicate in ("eq", "ne", "uge", "sle"):  # sometimes equal
        same = case.add(f"trunc i64 {case.operand('i64')} to i1")
        b = case.add(f"select i1 {same}, {kind} {a}, {kind} {b}")
    result = case.add(f"{operation} {predicate} {kind} {a}, {b}")
    chosen = case.add(f"select {with_element(kind, 'i1')} {result}, {kind} {a}, {kind} {b}")
    widened = case.add(f"zext {with_element(kind, 'i1')} {result} to {with_element(kind, 'i32')}")
    first, second = case.number(kind, chosen), case.number(with_element(kind, "i32"), widened)
    return case.finish("i64", case.add(f"call i64 @test_mix(i64 {first}, i64 {second})"))


def zero(kind: str) -> str:
    return "zeroinitializer" if lanes(kind) else "0.0"


def in_range(case: Case, source: str, target: str) -> str:
    """A fraction that fits into the integer type, twice in a vector of them."""
    limit = 100 if width(target) == 8 else 30000
    number = case.add(f"urem i32 {case.operand('i32')}, {limit}")
    scalar = element(source)
    fraction = case.add(f"fdiv {scalar} {case.add(f'uitofp i32 {number} to {scalar}')}, 3.0")
    if not lanes(source):
        return fraction
    vector = case.add(f"insertelement {source} {zero(source)}, {scalar} {fraction}, i64 1")
    negative = case.add(f"fneg {scalar} {fraction}")
    return case.add(f"insertelement {source} {vector}, {scalar} {negative}, i64 2")


def cast(operation: str, source: str, target: str, prefix: str = "") -> Case:
    case = Case(f"{prefix}{operation}_{mangled(source)}_{mangled(target)}")
    if operation in ("fptoui", "fptosi"):
        value = in_range(case, source, target)
        if operation == "fptosi":
            value = case.add(f"fneg {source} {value}")
    else:
        value = case.operand(source)
    return case.finish(target, case.add(f"{operation} {source} {value} to {target}"))


def intrinsic(name: str, kind: str, operands: int, extra: str = "", result: str = "") -> Case:
    case = Case(f"{name.replace('.', '_')}_{mangled(kind)}")
    result = result or kind
    values = ", ".join(f"{kind} {case.operand(kind)}" for _ in range(operands))
    suffix = f"{mangled(result)}.{mangled(kind)}" if result != kind else mangled(kind)
    return case.finish(result, case.add(f"call {result} @llvm.{name}.{suffix}({values}{extra})"))


def overflow(name: str, kind: str) -> Case:
    case = Case(f"{name}_with_overflow_{kind}")
    values = f"{kind} {case.operand(kind)}, {kind} {case.operand(kind)}"
    pair = case.add(f"call {{ {kind}, i1 }} @llvm.{name}.with.overflow.{kind}({values})")
    number = case.number(kind, case.add(f"extractvalue {{ {kind}, i1 }} {pair}, 0"))
    flag = case.number("i1", case.add(f"extractvalue {{ {kind}, i1 }} {pair}, 1"))
    return case.finish("i64", case.add(f"call i64 @test_mix(i64 {number}, i64 {flag})"))


def memory(kind: str, prefix: str = "") -> Case:
    case = Case(f"{prefix}memory_{mangled(kind)}")
    place = case.add(f"alloca [4 x {kind}], align 16")
    index = case.add(f"and i64 {case.operand('i64')}, 3")
    for i in range(4):
        at = case.add(f"getelementptr [4 x {kind}], ptr {place}, i64 0, i64 {i}")
        case.lines.append(f"  store volatile {kind} {case.operand(kind)}, ptr {at}, align 1")
    small = case.add(f"trunc i64 {index} to i8")
    at = case.add(f"getelementptr {kind}, ptr {place}, i8 {small}")
    return case.finish(kind, case.add(f"load {kind}, ptr {at}, align 1"))


def atomic(operation: str) -> Case:
    case = Case(f"atomicrmw_{operation}")
    place = case.add("alloca i32")
    case.lines.append(f"  store i32 {case.operand('i32')}, ptr {place}")
    old = case.add(f"atomicrmw {operation} ptr {place}, i32 {case.operand('i32')} seq_cst")
    pair = case.add(f"cmpxchg ptr {place}, i32 {old}, i32 7 seq_cst seq_cst")
    case.lines.append("  fence seq_cst")
    flag = case.number("i1", case.add(f"extractvalue {{ i32, i1 }} {pair}, 1"))
    total = case.add(f"zext i32 {case.add(f'load atomic i32, ptr {place} acquire, align 4')} to i64")
    total = case.add(f"call i64 @test_mix(i64 {total}, i64 {flag})")
    return case.finish("i64", case.add(f"call i64 @test_mix(i64 {total}, i64 {case.number('i32', old)})"))


def other() -> Iterator[Case]:
    """What fits no pattern."""
    for kind in VECTORS:
        case = Case(f"shuffle_{mangled(kind)}")
        a, b = case.operand(kind), case.operand(kind)
        picks = [(3 * lane + 1) % (2 * lanes(kind)) for lane in range(4)]
        mask = ", ".join(f"i32 {pick}" for pick in picks)
        mixed = case.add(f"shufflevector {kind} {a}, {kind} {b}, <4 x i32> <{mask}>")
        yield case.finish(f"<4 x {element(kind)}>", mixed)
        case = Case(f"compiled_variable_index_{mangled(kind)}")
        index = case.add(f"urem i64 {case.operand('i64')}, {lanes(kind)}")
        value = case.add(f"extractelement {kind} {case.operand(kind)}, i64 {index}")
        yield case.finish(element(kind), value)
    case = Case("phi_swap")
    case.lines += [
        "  br label %loop",
        "loop:",
        "  %a = phi i64 [ %seed, %0 ], [ %b, %loop ]",
        "  %b = phi i64 [ 5, %0 ], [ %a, %loop ]",
        "  %n = phi i64 [ 0, %0 ], [ %m, %loop ]",
        "  %m = add i64 %n, 1",
        "  %more = icmp ult i64 %m, 7",
        "  br i1 %more, label %loop, label %end",
        "end:",
        "  switch i64 %m, label %other [ i64 6, label %six\n i64 7, label %seven ]",
        "six:",
        "  ret i64 6",
        "seven:",
        "  %c = sub i64 %a, %b",
        "  ret i64 %c",
        "other:",
        "  unreachable",
    ]
    yield case
    case = Case("pointers")
    number = case.add("ptrtoint ptr @numbers to i64")
    low = case.add("ptrtoint ptr @numbers to i16")
    same = case.add(f"icmp eq i16 {low}, {case.add(f'trunc i64 {number} to i16')}")
    offset = case.add("load i32, ptr @relative")
    at = case.add("getelementptr i8, ptr @relative, i64 " + case.add(f"sext i32 {offset} to i64"))
    value = case.add(f"load i64, ptr {case.add(f'freeze ptr {at}')}")
    inside = case.add("load i64, ptr getelementptr inbounds ([4 x i64], ptr @numbers, i64 0, i64 3)")
    second = case.add(f"load i64, ptr {case.add('load ptr, ptr @pointer')}")
    total = case.add(f"select i1 {same}, i64 {value}, i64 {inside}")
    for part in (inside, second, "%seed"):
        total = case.add(f"call i64 @test_mix(i64 {total}, i64 {part})")
    yield case.finish("i64", total)
    case = Case("alignment")
    place = case.add("alloca i64, align 64")
    bits = case.add(f"ptrtoint ptr {place} to i64")
    yield case.finish("i64", case.add(f"and i64 {bits}, 63"))
    case = Case("compiled_assembly")
    yield case.finish("i64", case.add('call i64 asm "", "=r,0"(i64 %seed)'))
    case = Case("compiled_half")
    narrow = case.add(f"fptrunc float {case.operand('float')} to half")
    yield case.finish("float", case.add(f"fpext half {narrow} to float"))


def on_integers() -> Iterator[Case]:
    operations = ["add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr"]
    kinds = [f"i{bits}" for bits in INTEGERS] + [kind for kind in VECTORS if not is_float(kind)]
    for kind in kinds:
        for operation in [*operations, "and", "or", "xor"]:
            yield binary(operation, kind)
        for predicate in PREDICATES:
            yield compare("icmp", predicate, kind)
        yield memory(kind)
        for name in ("smin", "smax", "umin", "umax", "uadd.sat", "usub.sat"):
            yield intrinsic(name, kind, 2)
        yield intrinsic("abs", kind, 1, ", i1 false")


def on_plain_integers() -> Iterator[Case]:
    for bits in (8, 16, 32, 64):
        kind = f"i{bits}"
        for name in ("uadd", "usub", "umul", "sadd", "ssub", "smul"):
            yield overflow(name, kind)
        for name in ("fshl", "fshr"):
            yield intrinsic(name, kind, 3)
        for name in ("ctlz", "cttz"):
            yield intrinsic(name, kind, 1, ", i1 false")
        for name in ("scmp", "ucmp"):
            yield intrinsic(name, kind, 2, result="i8")
        yield intrinsic("ctpop", kind, 1)
        if bits > 8:
            yield intrinsic("bswap", kind, 1)


def on_floats() -> Iterator[Case]:
    for kind in [*FLOATS, "<4 x float>", "<2 x double>"]:
        for operation in ("fadd", "fsub", "fmul", "fdiv"):
            yield binary(operation, kind)
        for predicate in FLOAT_PREDICATES:
            yield compare("fcmp", predicate, kind)
        case = Case(f"fneg_{mangled(kind)}")
        yield case.finish(kind, case.add(f"fneg {kind} {case.operand(kind)}"))
        yield intrinsic("fabs", kind, 1)
        yield intrinsic("copysign", kind, 2)
        yield memory(kind)
    for kind in FLOATS:
        yield binary("frem", kind)
        for name in ("sqrt", "floor", "ceil", "trunc", "round", "sin", "cos", "exp", "exp2", "log", "log2"):
            yield intrinsic(name, kind, 1)
        yield intrinsic("pow", kind, 2)


def casts() -> Iterator[Case]:
    for small, large in itertools.pairwise(INTEGERS):
        yield cast("trunc", f"i{large}", f"i{small}")
        yield cast("zext", f"i{small}", f"i{large}")
        yield cast("sext", f"i{small}", f"i{large}")
    for target in FLOATS:
        for bits in (8, 16, 24, 32, 64):
            yield cast("uitofp", f"i{bits}", target)
            yield cast("sitofp", f"i{bits}", target)
            yield cast("fptoui", target, f"i{bits}")
            yield cast("fptosi", target, f"i{bits}")
    yield cast("sitofp", "<4 x i32>", "<4 x float>")
    yield cast("uitofp", "<4 x i32>", "<4 x float>")
    yield cast("fptosi", "<4 x float>", "<4 x i32>")
    yield cast("sitofp", "<2 x i64>", "<2 x float>", "compiled_")
    yield cast("fptrunc", "double", "float")
    yield cast("fpext", "float", "double")
    yield cast("fptrunc", "<2 x double>", "<2 x float>")
    yield cast("fpext", "<2 x float>", "<2 x double>")
    yield cast("sext", "<8 x i16>", "<8 x i32>")
    yield cast("zext", "<8 x i16>", "<8 x i32>")
    yield cast("trunc", "<4 x i32>", "<4 x i16>")
    for source, target in [("i32", "float"), ("double", "i64"), ("<4 x i32>", "<4 x float>")]:
        yield cast("bitcast", source, target)
        yield cast("bitcast", target, source)
    for target in ("<2 x i64>", "<16 x i8>", "<8 x i16>", "i128", "<2 x double>"):
        yield cast("bitcast", "<4 x i32>", target)
        yield cast("bitcast", target, "<4 x i32>")


TABLE = "instruction_cases"
HEAD = """\
declare i64 @test_mix(i64, i64)
declare float @test_float(i64, i64)
declare double @test_double(i64, i64)
@numbers = internal constant [4 x i64] [i64 11, i64 22, i64 33, i64 44]
@pointer = internal global ptr getelementptr (i8, ptr @numbers, i64 16)
@relative = internal constant i32 trunc (i64 sub (i64 ptrtoint (ptr @numbers to i64),
                                                 i64 ptrtoint (ptr @relative to i64)) to i32)
"""


def functions() -> list[Case]:
    by_name: dict[str, Case] = {}
    for cases in (on_integers(), on_plain_integers(), on_floats(), casts(), other()):
        by_name.update((case.name, case) for case in cases)
    for operation in ("add", "xchg", "umax", "nand"):
        by_name[f"atomicrmw_{operation}"] = atomic(operation)
    return list(by_name.values())
