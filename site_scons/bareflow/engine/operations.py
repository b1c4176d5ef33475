"""Functions in LLVM IR for every operation on every type of integers and floats, and every conversion.

The build compiles them to find out which functions compiled code calls by itself (host_symbols.py), and
tests/engine/test_levels.cpp runs them on every level and as native code. Each function takes a seed and
returns a number that depends on all of its results. function_table.py makes a module of them.
"""

from collections.abc import Callable, Iterator

HEAD = "declare i64 @test_mix(i64, i64)\ndeclare double @test_double(i64, i64)"
TABLE = "operation_cases"

INTEGERS = [8, 16, 32, 64, 100, 128]
FLOATS = {
    "half": "f16",
    "bfloat": "bf16",
    "float": "f32",
    "double": "f64",
    "x86_fp80": "f80",
    "fp128": "f128",
}
SIZES = list(FLOATS)
"""Of floats, the least first. half and bfloat have each what the other lacks."""
BINARY = ["add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr"]
OVERFLOW = ["sadd", "uadd", "ssub", "usub", "smul", "umul"]
SATURATING = ["sadd", "uadd", "ssub", "usub", "sshl", "ushl"]
COUNTS = ["ctpop", "bitreverse"]
NO_POWI = ("half", "bfloat")
"""Their powers are those of float."""


class Function:
    """The body of one function, as it is written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self.values = 0
        self.total = "%seed"

    def add(self, text: str) -> str:
        self.values += 1
        self.lines.append(f"  %v{self.values} = {text}")
        return f"%v{self.values}"

    def integer(self, bits: int) -> str:
        """One that depends on the seed."""
        low = self.add(f"call i64 @test_mix(i64 %seed, i64 {self.values})")
        if bits <= 64:
            return low if bits == 64 else self.add(f"trunc i64 {low} to i{bits}")
        high = self.add(f"zext i64 {self.add(f'call i64 @test_mix(i64 {low}, i64 99)')} to i{bits}")
        return self.add(
            f"or i{bits} {self.add(f'zext i64 {low} to i{bits}')}, {self.add(f'shl i{bits} {high}, 64')}"
        )

    def float(self, kind: str) -> str:
        return self.converted(
            self.add(f"call double @test_double(i64 %seed, i64 {self.values})"), "double", kind
        )

    def converted(self, value: str, source: str, target: str) -> str:
        if source == target:
            return value
        if {source, target} == {"half", "bfloat"}:
            return self.converted(self.converted(value, source, "float"), "float", target)
        operation = "fpext" if SIZES.index(source) < SIZES.index(target) else "fptrunc"
        return self.add(f"{operation} {source} {value} to {target}")

    def take_integer(self, bits: int, value: str) -> None:
        """Makes the value a part of what is returned."""
        halves = [value] if bits <= 64 else [value, self.add(f"lshr i{bits} {value}, 64")]
        for half in halves:
            if bits != 64:
                half = self.add(f"{'zext' if bits < 64 else 'trunc'} i{bits} {half} to i64")
            self.total = self.add(f"call i64 @test_mix(i64 {self.total}, i64 {half})")

    def take_float(self, kind: str, value: str) -> None:
        """All that are no number are the same."""
        exact = self.converted(value, kind, "double")
        nan = self.add(f"fcmp uno double {exact}, {exact}")
        bits = self.add(f"bitcast double {exact} to i64")
        self.take_integer(64, self.add(f"select i1 {nan}, i64 1, i64 {bits}"))

    def text(self) -> str:
        head = f"define internal i64 @{self.name}(i64 %seed) {{"
        return "\n".join([head, *self.lines, f"  ret i64 {self.total}", "}"])


def on_integers(function: Function, bits: int) -> None:
    kind = f"i{bits}"
    for operation in BINARY:
        a, b = function.integer(bits), function.integer(bits)
        if operation in ("shl", "lshr", "ashr"):
            b = function.add(f"urem {kind} {b}, {bits}")
        if operation in ("udiv", "sdiv", "urem", "srem"):  # neither by 0 nor by -1
            b = function.add(f"lshr {kind} {b}, {bits // 2}")
            b = function.add(f"or {kind} {b}, 1")
        function.take_integer(bits, function.add(f"{operation} {kind} {a}, {b}"))
    for operation in OVERFLOW:
        a, b = function.integer(bits), function.add(f"ashr {kind} {function.integer(bits)}, {bits - 4}")
        pair = f"{{ {kind}, i1 }}"
        both = function.add(f"call {pair} @llvm.{operation}.with.overflow.{kind}({kind} {a}, {kind} {b})")
        function.take_integer(bits, function.add(f"extractvalue {pair} {both}, 0"))
        over = function.add(f"zext i1 {function.add(f'extractvalue {pair} {both}, 1')} to i64")
        function.take_integer(64, over)
    for operation in SATURATING:
        a, b = function.integer(bits), function.integer(bits)
        if operation.endswith("shl"):
            b = function.add(f"urem {kind} {b}, {bits}")
        value = function.add(f"call {kind} @llvm.{operation}.sat.{kind}({kind} {a}, {kind} {b})")
        function.take_integer(bits, value)
    for operation in COUNTS:
        value = function.add(f"call {kind} @llvm.{operation}.{kind}({kind} {function.integer(bits)})")
        function.take_integer(bits, value)
    for operation in ("ctlz", "cttz"):
        a = function.integer(bits)
        value = function.add(f"call {kind} @llvm.{operation}.{kind}({kind} {a}, i1 false)")
        function.take_integer(bits, value)


def on_floats(function: Function, kind: str) -> None:
    for operation in ("fadd", "fsub", "fmul", "fdiv"):
        a, b = function.float(kind), function.float(kind)
        function.take_float(kind, function.add(f"{operation} {kind} {a}, {b}"))
    function.take_float(kind, function.add(f"fneg {kind} {function.float(kind)}"))
    for predicate in (
        "oeq",
        "ogt",
        "oge",
        "olt",
        "ole",
        "one",
        "ord",
        "ueq",
        "ugt",
        "uge",
        "ult",
        "ule",
        "une",
        "uno",
    ):
        a, b = function.float(kind), function.float(kind)
        value = function.add(f"fcmp {predicate} {kind} {a}, {b}")
        function.take_integer(64, function.add(f"zext i1 {value} to i64"))
    for name, parameters in (("fabs", 1), ("copysign", 2)):
        values = ", ".join(f"{kind} {function.float(kind)}" for _ in range(parameters))
        value = function.add(f"call {kind} @llvm.{name}.{FLOATS[kind]}({values})")
        function.take_float(kind, value)
    if kind not in NO_POWI:
        exponent = function.add(f"srem i32 {function.integer(32)}, 20")
        arguments = f"{kind} {function.float(kind)}, i32 {exponent}"
        value = function.add(f"call {kind} @llvm.powi.{FLOATS[kind]}.i32({arguments})")
        function.take_float(kind, value)


def to_floats(function: Function, kind: str) -> None:
    for target in FLOATS:
        function.take_float(target, function.converted(function.float(kind), kind, target))


def from_integers(function: Function, kind: str) -> None:
    for bits in INTEGERS:
        for operation in ("sitofp", "uitofp"):
            value = function.add(f"{operation} i{bits} {function.integer(bits)} to {kind}")
            function.take_float(kind, value)


def to_integers(function: Function, kind: str) -> None:
    for bits in INTEGERS:
        for sign, name in (("s", "fptosi"), ("u", "fptoui")):
            small = function.add(f"urem i64 {function.integer(64)}, {min(30000, 2 ** (bits - 1))}")
            value = function.add(f"uitofp i64 {small} to {kind}")
            function.take_integer(bits, function.add(f"{name} {kind} {value} to i{bits}"))
            given = f"{kind} {function.float(kind)}"
            call = f"call i{bits} @llvm.fpto{sign}i.sat.i{bits}.{FLOATS[kind]}({given})"
            function.take_integer(bits, function.add(call))


def functions() -> Iterator[Function]:
    groups: list[tuple[str, Callable[[Function, str], None]]] = [
        ("floats", on_floats),
        ("to_floats", to_floats),
        ("from_integers", from_integers),
        ("to_integers", to_integers),
    ]
    for bits in INTEGERS:
        function = Function(f"integers_{bits}")
        on_integers(function, bits)
        yield function
    for name, write in groups:
        for kind, short in FLOATS.items():
            function = Function(f"{name}_{short}")
            write(function, kind)
            yield function
