"""What the client must be told of one method of an IDL."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from thrift.Thrift import TMessageType, TType

from .errors import CalculateError, DeclaredError

_SUCCESS_ID = 0
_CALL: int = TMessageType.CALL
_ONEWAY: int = TMessageType.ONEWAY


class Method:
    """One method of an IDL, for ``Client.call``: its name on the wire and its generated classes.

        COUNT = Method("Count", WordCount.Count_args, WordCount.Count_result)
        RESET = Method.oneway("Reset", WordCount.Reset_args)

    ``args`` and ``result`` are the generated ``X_args`` and ``X_result``. ``errors`` maps declared exceptions (the
    field's name in the result) to functions of the generated exception and the server's address that make the error
    the caller sees; without one, that is a ``DeclaredError``. ``idempotent``: whether carrying it out twice does no
    harm. ``service``: whose method it is, for instances that host several versions of it.
    """

    is_oneway = False

    def __init__(
        self,
        name: str,
        args: type[Any],
        result: type[Any],
        errors: Mapping[str, Callable[[Any, str], CalculateError]] | None = None,
        *,
        idempotent: bool = False,
        service: str = "",
    ) -> None:
        self.name = name
        # As replies name it.
        self.wire_name = name.encode()
        self.call_name = self.wire_name
        self._service = service
        self._versions: dict[int, Method] = {}
        self._begin_messages(_CALL)
        self.args = args
        self.result = result
        self.args_spec = [args, args.thrift_spec]
        self.result_spec = [result, result.thrift_spec]
        self.idempotent = idempotent
        fields = {field[0]: field for field in result.thrift_spec if field is not None}
        named = errors or {}
        self.errors = tuple(
            (field[2], named.get(field[2], DeclaredError)) for field in fields.values() if field[0] != _SUCCESS_ID
        )
        unknown = named.keys() - {field for field, _ in self.errors}
        if unknown:
            raise ValueError(f"{name} declares no exception {', '.join(sorted(unknown))}")
        self.returns_value = _SUCCESS_ID in fields
        self._checks = {field[2]: _check_of(field[1], field[3]) for field in fields.values()}
        self.check_success = self._checks.get("success")

    @classmethod
    def oneway(cls, name: str, args: type[Any], *, idempotent: bool = False, service: str = "") -> Method:
        """A oneway method, for which no result is generated: its call is over when it was sent."""
        method = cls(name, args, _NoResult, idempotent=idempotent, service=service)
        method.is_oneway = True
        method._begin_messages(_ONEWAY)
        return method

    def of_version(self, version: int | None) -> Method:
        """The method of a version of its service, which a multiplexed server has under the name SERVICE.vN."""
        if version is None or not self._service:
            return self
        known = self._versions.get(version)
        if known is None:
            known = self._versions[version] = copy.copy(self)
            known.call_name = f"{self._service}.v{version}:{self.name}".encode()
            known._begin_messages(_ONEWAY if self.is_oneway else _CALL)
        return known

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

    def _begin_messages(self, kind: int) -> None:
        """How its messages begin: as far as the sequence id, which varies, or the compact protocol's flags."""
        # thrift-binary-protocol.md (strict) and thrift-compact-protocol.md
        self.binary_head = b"\x80\x01\x00%c" % kind + len(self.call_name).to_bytes(4, "big") + self.call_name
        self.compact_head = b"\x82%c" % (kind << 5 | 1)


class _NoResult:
    """What a oneway method answers."""

    thrift_spec = ()


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
