r"""Formulas in LaTeX's notation: as Typst draws them, and as a person reads short ones aloud.

What is not in the tables is refused: nothing is dropped from a formula, and nothing in it becomes code.

    >>> typst_math(r"E = \frac{1}{2} m v^2")
    'E = frac(1, 2) m v^(2)'
    >>> spoken_math("E = mc^2")
    'E equals m c squared'
"""

import re
from dataclasses import dataclass
from typing import Final

_SYMBOL: Final = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_DEEPEST: Final = 12

_GREEK: Final = tuple(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "  # noqa: SIM905
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
_SAME: Final = tuple(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln exp lim max min sup inf det dim ker gcd mod "  # noqa: SIM905
    "sum partial in forall exists union subset".split()
)
_SYMBOLS: Final[dict[str, str]] = {
    **{name: name for name in (*_GREEK, *_SAME)},
    "int": "integral", "iint": "integral.double", "oint": "integral.cont", "prod": "product", "infty": "infinity",
    "cdot": "dot.op", "times": "times", "div": "div", "pm": "plus.minus", "mp": "minus.plus", "leq": "<=", "le": "<=",
    "geq": ">=", "ge": ">=", "neq": "!=", "ne": "!=", "approx": "approx", "equiv": "equiv", "sim": "tilde.op",
    "propto": "prop", "to": "->", "rightarrow": "->", "Rightarrow": "=>", "implies": "==>", "leftarrow": "<-",
    "leftrightarrow": "<->", "iff": "<==>", "mapsto": "|->", "nabla": "nabla", "notin": "in.not", "cup": "union",
    "cap": "inter", "subseteq": "subset.eq", "setminus": "without", "emptyset": "nothing", "varnothing": "nothing",
    "land": "and", "lor": "or", "neg": "not", "cdots": "dots.c", "ldots": "dots.h", "dots": "dots.h", "hbar": "planck",
    "varepsilon": "epsilon.alt", "varphi": "phi.alt", "vartheta": "theta.alt", "circ": "compose", "degree": "degree",
    "ell": "ell", "angle": "angle", "perp": "perp", "mid": "|", "star": "star.op", "ast": "ast", "prime": "prime",
    "langle": "chevron.l", "rangle": "chevron.r", "quad": "quad", "qquad": "wide",
    "lVert": "bar.v.double", "rVert": "bar.v.double",
}  # fmt: skip
_SPACES: Final = {"\\,": "thin", "\\;": "thick", "\\:": "med", "\\ ": "space", "\\!": ""}
_ESCAPED: Final = {"\\%": '"%"', "\\$": '"$"', "\\#": '"#"', "\\&": '"&"', "\\_": '"_"', "\\{": "\\{", "\\}": "\\}"}
_ONE: Final[dict[str, str]] = {
    "sqrt": "sqrt", "hat": "hat", "bar": "overline", "overline": "overline", "underline": "underline", "vec": "arrow",
    "dot": "dot", "ddot": "dot.double", "tilde": "tilde", "mathbb": "bb", "mathcal": "cal", "mathbf": "bold",
    "boldsymbol": "bold", "mathrm": "upright", "mathfrak": "frak",
}  # fmt: skip
_TWO: Final = {"frac": "frac", "dfrac": "frac", "tfrac": "frac", "binom": "binom"}
_WORDS: Final = {"text", "textrm", "operatorname", "mbox"}
_FENCES: Final = {"(": "\\(", ")": "\\)", "[": "\\[", "]": "\\]", "\\{": "\\{", "\\}": "\\}", "|": "|", ".": ""}
_MATRICES: Final = {"matrix": "#none", "pmatrix": '"("', "bmatrix": '"["', "vmatrix": '"|"'}
_LITERAL: Final = set("/;()[]")
"""What would be more than itself to Typst."""

_PLAIN: Final = set("+-=<>|!*:.'`")
_PAIRS: Final = {"(": ")", "[": "]", "\\{": "\\}", "|": "|"}


class FormulaError(ValueError):
    """A formula that cannot be read; its text says what is wrong."""


def typst_math(latex: str) -> str:
    """The formula as Typst's math mode reads it. Raises FormulaError."""
    parser = _Parser(_SYMBOL.findall(latex))
    text = parser.sequence(until=None)
    if not text.strip():
        raise FormulaError("the formula is empty")
    return text


@dataclass(slots=True)
class _Parser:
    symbols: list[str]
    place: int = 0
    depth: int = 0

    def peek(self) -> str | None:
        while self.place < len(self.symbols) and self.symbols[self.place].isspace():
            self.place += 1
        return self.symbols[self.place] if self.place < len(self.symbols) else None

    def take(self) -> str:
        if self.peek() is None:
            raise FormulaError("the formula ends too early")
        return self.take_any()

    def take_any(self) -> str:
        """The next symbol, white space included."""
        if self.place >= len(self.symbols):
            raise FormulaError("the formula ends too early")
        self.place += 1
        return self.symbols[self.place - 1]

    def sequence(self, until: str | None) -> str:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError(f"the formula is nested more than {_DEEPEST} deep")
        parts: list[str] = []
        while (symbol := self.peek()) != until:
            if symbol is None:
                raise FormulaError(f"{until!r} is missing")
            if symbol in {"^", "_"}:
                self.take()
                if not parts:
                    raise FormulaError(f"there is nothing before {symbol!r}")
                parts[-1] += f"{symbol}({self.argument()})"
            elif symbol == "'":
                self.take()
                parts.append("'") if not parts else parts.append(parts.pop() + "'")
            else:
                parts.append(self.atom())
        if until is not None:
            self.take()
        self.depth -= 1
        return " ".join(part for part in parts if part)

    def argument(self) -> str:
        if self.peek() == "{":
            self.take()
            return self.sequence(until="}") or "zws"
        if self.peek() is not None:
            self.symbols[self.place : self.place + 1] = _digit_apart(self.symbols[self.place])
        return self.atom()

    def atom(self) -> str:
        symbol = self.take()
        if symbol == "{":
            return self.sequence(until="}") or "zws"
        if symbol.startswith("\\"):
            return self._command(symbol)
        if symbol in {"}", "&", "#", "$", "%", "~", "\\", '"'}:
            raise FormulaError(f"{symbol!r} has no place there")
        if symbol == ",":
            return "comma"
        if symbol in _LITERAL:
            return f"\\{symbol}"
        if symbol in _PLAIN or symbol.lstrip(".")[:1].isdigit():
            return {"*": "ast.op", "`": "prime"}.get(symbol, symbol)
        if symbol.isalpha() and (symbol.isascii() or "\u0370" <= symbol <= "\u03ff"):  # Latin and Greek
            return symbol
        raise FormulaError(f"the character {symbol!r} is not known in formulas")

    def _command(self, symbol: str) -> str:
        name = symbol[1:]
        if known := {**_SPACES, **_ESCAPED}.get(symbol) or _SYMBOLS.get(name):
            return known
        if symbol in _SPACES:
            return ""
        if name == "sqrt" and self.peek() == "[":
            self.take()
            return f"root({self.sequence(until=']')}, {self.argument()})"
        if name in _ONE or name in _TWO:
            arguments = [self.argument() for _ in range(2 if name in _TWO else 1)]
            return f"{(_ONE | _TWO)[name]}({', '.join(arguments)})"
        special = {"left": self._fenced, "begin": self._matrix, **dict.fromkeys(_WORDS, self._words)}.get(name)
        if special is None:
            raise FormulaError(f"the command {symbol!r} is not known in formulas")
        return special()

    def _words(self) -> str:
        if self.take() != "{":
            raise FormulaError("'{' is missing after a text command")
        words: list[str] = []
        while (symbol := self.take_any()) != "}":
            if symbol in {'"', "{"} or symbol.startswith("\\"):
                raise FormulaError(f"{symbol!r} has no place in the text of a formula")
            words.append(symbol)
        return '"' + "".join(words) + '"'

    def _fenced(self) -> str:
        opening = self.take()
        if opening not in _FENCES:
            raise FormulaError(f"{opening!r} cannot follow \\left")
        inner = self.sequence(until="\\right")
        closing = self.take()
        if closing not in _FENCES:
            raise FormulaError(f"{closing!r} cannot follow \\right")
        if _PAIRS.get(opening) == closing:
            return f"lr({opening.removeprefix(chr(92))} {inner} {closing.removeprefix(chr(92))})"
        return f"lr({_FENCES[opening]} {inner} {_FENCES[closing]})"

    def _matrix(self) -> str:
        name = self._words().strip('"')
        if name not in _MATRICES:
            raise FormulaError(f"the environment {name!r} is not known in formulas")
        rows: list[list[str]] = [[]]
        cell: list[str] = []
        while (symbol := self.peek()) != "\\end":
            if symbol is None:
                raise FormulaError(f"\\end{{{name}}} is missing")
            if symbol in {"&", "\\\\"}:
                self.take()
                rows[-1].append(" ".join(cell) or "zws")
                cell = []
                if symbol == "\\\\":
                    rows.append([])
            elif symbol in {"^", "_"} and cell:
                self.take()
                cell[-1] += f"{symbol}({self.argument()})"
            else:
                cell.append(self.atom())
        if cell or rows[-1] or len(rows) == 1:  # nothing follows the last line break
            rows[-1].append(" ".join(cell) or "zws")
        self.take()
        if self._words().strip('"') != name:
            raise FormulaError(f"\\end{{{name}}} is missing")
        return f"mat(delim: {_MATRICES[name]}, {'; '.join(', '.join(row) for row in rows if row)})"


def _digit_apart(symbol: str) -> list[str]:
    r"""A number's first digit and the rest: a power or a fraction without braces takes one, as in TeX (`\frac12`).

    >>> _digit_apart("12"), _digit_apart("2.5"), _digit_apart("x")
    (['1', '2'], ['2', '.5'], ['x'])
    """
    return [symbol[0], symbol[1:]] if symbol[0].isdigit() and len(symbol) > 1 else [symbol]


_SAID: Final[dict[str, str]] = {
    "+": "plus", "-": "minus", "=": "equals", "<": "is less than", ">": "is greater than", "/": "over",
    "\\times": "times", "\\cdot": "times", "\\div": "divided by", "\\pm": "plus or minus", "\\leq": "is at most",
    "\\le": "is at most", "\\geq": "is at least", "\\ge": "is at least", "\\neq": "is not", "\\ne": "is not",
    "\\approx": "is about", "\\infty": "infinity", "\\%": "per cent", "\\to": "to", "\\degree": "degrees", ",": "",
    "\\,": "", "\\;": "", "\\ ": "",
    **{f"\\{name}": name.lower() for name in _GREEK},
}  # fmt: skip
_POWERS: Final = {"2": "squared", "3": "cubed"}


def spoken_math(latex: str) -> str:
    """A short formula as English words: letters, numbers, symbols, powers, fractions, roots. Raises FormulaError."""
    typst_math(latex)
    reader = _Reader([symbol for symbol in _SYMBOL.findall(latex) if not symbol.isspace()])
    words = reader.words(until=None)
    return " ".join(words)


@dataclass(slots=True)
class _Reader:
    symbols: list[str]
    place: int = 0

    def words(self, until: str | None) -> list[str]:
        words: list[str] = []
        while self.place < len(self.symbols) and self.symbols[self.place] != until:
            words += self._unit()
        self.place += until is not None
        return words

    def _unit(self) -> list[str]:
        """The words of the next symbol and of what belongs to it."""
        symbol = self.symbols[self.place]
        self.place += 1
        if symbol == "^":
            exponent = " ".join(self._group())
            return [_POWERS.get(exponent, f"to the power of {exponent}")]
        if symbol == "_":
            return ["sub", *self._group()]
        if symbol in {"\\frac", "\\dfrac", "\\tfrac"}:
            return [*self._group(), "over", *self._group()]
        if symbol == "\\sqrt" and self.symbols[self.place : self.place + 1] != ["["]:
            return ["the square root of", *self._group()]
        if symbol in _SAID:
            return [_SAID[symbol]] if _SAID[symbol] else []
        if symbol.lstrip(".")[:1].isdigit() or (symbol.isalpha() and len(symbol) == 1):
            return [symbol]
        raise FormulaError(f"how {symbol!r} is spoken is not sure: put the formula on lines of its own")

    def _group(self) -> list[str]:
        """What stands in braces, or else the next unit; of a number its first digit alone, as it is drawn."""
        if self.place >= len(self.symbols):
            raise FormulaError("the formula ends too early")
        if self.symbols[self.place] == "{":
            self.place += 1
            return self.words(until="}")
        self.symbols[self.place : self.place + 1] = _digit_apart(self.symbols[self.place])
        return self._unit()
