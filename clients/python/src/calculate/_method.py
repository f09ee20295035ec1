"""What the generic part of the client must be told of one method of an IDL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thrift.Thrift import TType

from .errors import CalculateError

_SUCCESS_ID = 0


class Method:
    """One method: its name on the wire and its generated classes.

    ``args`` and ``result`` are the generated ``X_args`` and ``X_result``. ``errors`` maps every declared exception
    (its field's name in the result) to a function of the generated exception and the server's address that makes
    the error the caller sees. ``idempotent``: whether carrying it out twice does no harm.
    """

    def __init__(
        self,
        name: str,
        args: type[Any],
        result: type[Any],
        errors: Mapping[str, Callable[[Any, str], CalculateError]] | None = None,
        *,
        idempotent: bool = False,
    ) -> None:
        self.name = name
        self.wire_name = name.encode()
        # A CALL in the strict binary protocol as far as its sequence id, which varies (thrift-binary-protocol.md).
        self.binary_head = b"\x80\x01\x00\x01" + len(self.wire_name).to_bytes(4, "big") + self.wire_name
        self.args = args
        self.result = result
        self.args_spec = [args, args.thrift_spec]
        self.result_spec = [result, result.thrift_spec]
        self.idempotent = idempotent
        self.errors = tuple((errors or {}).items())
        fields = {field[0]: field for field in result.thrift_spec if field is not None}
        self.returns_value = _SUCCESS_ID in fields
        self._checks = {field[2]: _check_of(field[1], field[3]) for field in fields.values()}
        self.check_success = self._checks.get("success")

    def outcome(self, result: Any, server: str) -> Any:
        """The value in a decoded ``result``.

        Raises the declared exception that it carries, or ``ValueError`` when it carries nothing or when a
        required field of what it carries is missing.
        """
        if self.returns_value:
            value = result.success
            if value is not None:
                if self.check_success is not None:
                    self.check_success(value)
                return value
        for field, to_error in self.errors:
            declared = getattr(result, field)
            if declared is not None:
                check = self._checks[field]
                if check is not None:
                    check(declared)
                raise to_error(declared, server)
        if self.returns_value:
            raise ValueError("neither a value nor a declared error")
        return None


def _check_of(kind: int, spec: Any) -> Callable[[Any], None] | None:
    """What raises when a required field is missing somewhere in a value of this type; None when nothing can be.

    The generated Python code checks required fields where it writes them, not where it reads them.
    """
    if kind != TType.STRUCT and kind not in (TType.LIST, TType.SET, TType.MAP):
        return None
    if kind == TType.STRUCT and all(field is None or _is_base(field[1]) for field in spec[1]):
        validate: Callable[[Any], None] = spec[0].validate
        return validate
    return _check_deep


def _is_base(kind: int) -> bool:
    return kind not in (TType.STRUCT, TType.LIST, TType.SET, TType.MAP)


def _check_deep(value: Any) -> None:
    """As deep as the decoder went, which bounds the recursion."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_deep(key)
            _check_deep(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _check_deep(item)
    elif hasattr(value, "thrift_spec"):
        value.validate()
        for field in value.thrift_spec:
            if field is not None and not _is_base(field[1]):
                _check_deep(getattr(value, field[2]))
