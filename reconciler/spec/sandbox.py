"""The Jinja2 environment that templates run in: few words, no way out, and bounded work. Source: cases C07-C11.

What is not on a list here or in `spec.filters` does not exist for a template. Everything that makes a value longer, or
looks at a whole one, is charged to a `Budget`: the templates of a pull request must not keep a runner busy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn, cast

from jinja2 import nodes
from jinja2.compiler import Frame
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context, LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing, pass_environment
from jinja2.visitor import NodeTransformer

from reconciler.problems import nearest
from reconciler.spec.faults import CALL, TOKEN, TRACED, Budget, Fault, Later, check_length, longest, said, too_much
from reconciler.spec.filters import BUDGET_KEY, FILTER_TABLE, TEST_TABLE, budget_of, join, numbers, replace
from reconciler.spec.program import Program

__all__ = ["ENVIRONMENT", "compiled"]

_BITS: Final = 1024
_SOURCE: Final = 64 * 1024
_TOKENS: Final = 5_000
_TEXT_METHODS: Final = (
    *("upper", "lower", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith"),
    *("removeprefix", "removesuffix", "title", "capitalize", "replace", "join", "find", "count"),
    *("isdigit", "isalpha", "isalnum"),
)
_METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset(_TEXT_METHODS),
    dict: frozenset({"items", "keys", "values", "get"}),
    list: frozenset({"index", "count"}),
}
_LOOP_NAMES: Final = frozenset({"index", "index0", "first", "last", "length"})
_REFUSED: Final[dict[type[nodes.Node], str]] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.AssignBlock: "a set block",
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.NSRef: "namespace",
    nodes.ScopedEvalContextModifier: "autoescape",
}


class _Missing(StrictUndefined):
    """An undefined name that knows what was near it."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        name = said(self._undefined_name)
        if self._undefined_hint:
            raise Fault("undefined-name", said(self._undefined_hint or name), "a defined name", needle=name)
        if self._undefined_obj is missing:
            raise Fault("undefined-name", f"{name!r} is undefined", "a name in scope", needle=name, in_scope=True)
        known = [str(key) for key in self._undefined_obj] if isinstance(self._undefined_obj, Mapping) else []
        near = nearest(name, known)
        listed = ", ".join(sorted(known)[:12])
        expected = f"one of {listed}" if listed else "a name that exists"
        raise Fault("undefined-name", f"{name!r} is undefined", expected, near=near, needle=name)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _fail_with_undefined_error
    __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pos__ = _fail_with_undefined_error
    __neg__ = __call__ = __getitem__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = _fail_with_undefined_error
    __float__ = __complex__ = __pow__ = __rpow__ = __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = _fail_with_undefined_error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._fail_with_undefined_error()


class _Bound(NodeTransformer):
    """Puts the budget under loops and `~`, and refuses statements that nobody needs in a value."""

    def __init__(self, size: int) -> None:
        self._size = size

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        for refused, word in _REFUSED.items():
            if isinstance(node, refused):
                wanted = "values, conditions, loops and filters"
                raise Fault("template-forbidden", f"{word} can't be used here", wanted, needle=word.rpartition(" ")[2])
        return super().generic_visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's visitor protocol
        if node.recursive:
            raise Fault("template-forbidden", "a recursive loop", "a loop without recursive", needle="recursive")
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_rounds", nodes.Const(self._size))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's visitor protocol
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_concat")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - Jinja's visitor protocol
        self.generic_visit(node)
        node.expr = _filtered(node.expr, "_weighed")
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, "_weighed")
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja's visitor protocol
        self.generic_visit(node)
        if isinstance(node.node, nodes.Getattr):
            node.node = _filtered(node.node.node, "_method", nodes.Const(node.node.attr))
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - Jinja's visitor protocol
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _filtered(node.node, "_weighed")
        return node


def _filtered(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, list(args), [], None, None, lineno=node.lineno)


class _Generator(NativeCodeGenerator):
    """Keeps the type of every value; only the text between the braces is joined at compile time."""

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> Any:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)


class _Environment(ImmutableSandboxedEnvironment):
    """Keys, methods from a list where they are called, no attribute otherwise, and arithmetic that stays small."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(undefined=_Missing, keep_trailing_newline=True, cache_size=0, autoescape=False)
        self.filters = {**FILTER_TABLE, "_method": _method}
        self.tests = dict(TEST_TABLE)
        self.globals = {"range": numbers}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute.startswith("_"):
            wanted = "a name without a leading underscore"
            raise Fault("template-forbidden", f"{attribute!r} can't be read here", wanted, needle=attribute)
        if isinstance(obj, Later):
            return obj.attribute(attribute)
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if _is_open(obj, attribute):
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def method(self, obj: Any, name: str) -> Any:
        """What `.name` before a bracket is: only there does a method's name mean the method."""
        if not isinstance(obj, Later) and not (isinstance(obj, Mapping) and name in obj) and _has_method(obj, name):
            return getattr(obj, name)
        if name in {"format", "format_map"} and isinstance(obj, str):
            raise Fault("template-forbidden", f"{name}() can't be used here", "~ or | join", needle=name)
        return self.getattr(obj, name)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined | Later):
            return obj[argument]
        try:
            return obj[argument]
        except (AttributeError, TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        for internal in ("_loop_vars", "_block_vars"):  # Jinja's own, meant for functions that take a context
            kwargs.pop(internal, None)
        if isinstance(obj, Undefined):
            str(obj)  # raises, in its own words
        if obj is numbers or getattr(obj, "is_template_function", False):
            return obj(*args, **kwargs)
        owner, name = getattr(obj, "__self__", None), str(getattr(obj, "__name__", ""))
        if not _has_method(owner, name):
            raise Fault("template-forbidden", "this can't be called", "secret(), ref() or range()", needle=name)
        budget_of(context).spend(characters=CALL)
        budget_of(context).look(owner, *args, *kwargs.values())
        if name == "get" and isinstance(owner, dict) and len(args) == 1 and args[0] not in owner:
            return self.undefined(obj=owner, name=args[0])
        if name == "replace":
            return replace(owner, *args, **kwargs)
        if name == "join" and len(args) == 1:
            return join(context, args[0], str(owner))
        result = obj(*args, **kwargs)
        return list(result) if isinstance(owner, dict) and name != "get" else result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        for side in (left, right):
            if isinstance(side, Later):
                str(side)  # raises, in its own words
        size = _sized(operator, left, right)
        if size is not None:
            check_length(size)
            budget_of(context).spend(characters=size)
        elif _bits(operator, left, right) > _BITS:
            raise too_much(f"{operator} gives a number that is too large", f"numbers of at most {_BITS} bits")
        if operator == "%" and isinstance(left, str):
            raise Fault("template-forbidden", "% can't format text here", "~ to join texts", needle="%")
        return super().call_binop(context, operator, left, right)


def _has_method(owner: Any, name: str) -> bool:
    return any(isinstance(owner, kind) and name in names for kind, names in _METHODS.items())


def _is_open(obj: Any, attribute: str) -> bool:
    """Whether a template may read this attribute of this object, which is not a key of it."""
    if isinstance(obj, LoopContext):
        return attribute in _LOOP_NAMES
    if isinstance(obj, tuple) and type(obj) is not tuple:
        return attribute in {"grouper", "list"}  # what groupby gives
    return isinstance(obj, Undefined)


def _sized(operator: str, left: Any, right: Any) -> int | None:
    """Length of a text or list that `*` or `+` would make; none when it makes a number."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str | list | tuple):
            if operator == "*" and isinstance(other, int):
                return len(one) * max(int(other), 0)
            if operator == "+" and isinstance(other, str | list | tuple):
                return len(one) + len(other)
    return None


def _bits(operator: str, left: Any, right: Any) -> int:
    if not isinstance(left, int) or not isinstance(right, int):
        return 0
    if operator == "**":
        return int(left).bit_length() * max(int(right), 0)
    return int(left).bit_length() + int(right).bit_length() if operator == "*" else 0


@pass_environment
def _method(environment: _Environment, obj: Any, name: str) -> Any:
    return environment.method(obj, name)


ENVIRONMENT: Final = _Environment()


def compiled(source: str) -> Program:
    """Parse and compile a template.

    Raises:
        Fault: `template-syntax` with a line inside the text, `template-forbidden`, `template-limit`.
    """
    try:
        return _compiled(source)
    except TemplateSyntaxError as error:
        raise _syntax_fault(error) from None


def _compiled(source: str) -> Program:
    if len(source) > _SOURCE:
        raise too_much(f"a template of {len(source):,} characters", f"at most {_SOURCE:,}")
    carriage = _unused(source)
    tokens = _count(source.replace("\r", carriage))
    tree = ENVIRONMENT._parse(source.replace("\r", carriage), None, None)  # noqa: SLF001 - the hook that Jinja names for this
    expressions = [node for part in tree.body if isinstance(part, nodes.Output) for node in part.nodes]
    single = len(tree.body) == len(expressions) == 1 and not isinstance(expressions[0], nodes.TemplateData)
    path = _path(expressions[0]) if single else ()
    named = (_path(node, TRACED) for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name)))
    reads = longest(found for found in named if found)
    names = frozenset(find_undeclared_variables(tree)) - set(ENVIRONMENT.globals)
    bound = _Bound(len(source)).visit(tree)
    template = ENVIRONMENT.template_class.from_code(ENVIRONMENT, ENVIRONMENT.compile(bound), ENVIRONMENT.globals)

    def run(scope: Mapping[str, Any], budget: Budget) -> Iterator[Any]:
        budget.spend(characters=len(source))
        budget.once(source, characters=tokens * TOKEN)
        context = template.new_context({**scope, BUDGET_KEY: budget})
        length = 0
        parts: Iterator[Any] = template.root_render_func(context)  # values, for our generator keeps their types
        try:
            for part in parts:
                length += len(part) if isinstance(part, str) else 1
                check_length(length)
                yield part.replace(carriage, "\r") if isinstance(part, str) else part
        except TemplateError as error:
            raise Fault("template-failed", said(error), "a template that can be rendered") from None

    return Program(run, single, path, reads, names)


def _count(source: str) -> int:
    """Words and signs between the braces.

    Raises:
        Fault: `template-limit`.
    """
    count = 0
    for _line, token, _text in ENVIRONMENT.lexer.tokeniter(source, None):
        count += token not in {"data", "whitespace"}
        if count > _TOKENS:
            raise too_much("a template with too many words and signs between its braces", f"at most {_TOKENS:,}")
    return count


def _unused(source: str) -> str:
    """A private character that stands for a carriage return, which Jinja would make a line feed."""
    return next(chr(code) for code in range(0xE00D, 0xF8FF) if chr(code) not in source)


def _path(node: nodes.Node, names: frozenset[str] = frozenset({"values", "item"})) -> tuple[str | int, ...]:
    """`values.a["b"][0]` as parts; empty for anything else."""
    parts: list[str | int] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str | int):
            parts.append(node.arg.value)
        else:
            return ()
        node = node.node
    if isinstance(node, nodes.Name) and node.name in names and node.ctx == "load":
        return (node.name, *reversed(parts))
    return ()


def _syntax_fault(error: TemplateSyntaxError) -> Fault:
    """Jinja's own complaint in our form; names of unknown filters and tests get their neighbours."""
    message = str(error.message or "this is no template")
    word = message.partition("'")[2].partition("'")[0]
    if message.startswith(("No filter named", "No test named")):
        known = ENVIRONMENT.filters if "filter" in message else ENVIRONMENT.tests
        names = sorted(name for name in known if not name.startswith("_") and name.isidentifier())
        what = "filter" if "filter" in message else "test"
        return Fault(
            "template-forbidden",
            f"there is no {what} {word!r} here",
            f"one of {', '.join(names)}",
            near=nearest(word, names),
            needle=word,
            line=error.lineno,
        )
    return Fault("template-syntax", message, "a Jinja2 template", line=error.lineno)
