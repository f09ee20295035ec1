"""The methods of idl/calculate.thrift, described to the generic part. With ``_client.py`` and ``aio.py``, all that
has to be replaced to serve another IDL."""

from __future__ import annotations

from typing import Any

from ._gen import Calculate
from ._gen.ttypes import Number
from ._method import Method
from .errors import DomainError


def _domain_error(generated: Any, server: str) -> DomainError:
    return DomainError(generated.message, generated.value, server)


SQUARE = Method("Square", Calculate.Square_args, Calculate.Square_result, {"error": _domain_error})
CAL = Method("Cal", Calculate.Cal_args, Calculate.Cal_result)


def square_args(value: float) -> Any:
    """The generated arguments of Square."""
    return Calculate.Square_args(Number(value if type(value) is float else _real(value)))


def cal_args(value: float) -> Any:
    """The generated arguments of Cal."""
    return Calculate.Cal_args(Number(value if type(value) is float else _real(value)))


def _real(value: float) -> float:
    if isinstance(value, (str, bytes, bytearray)):  # float() would parse them
        raise TypeError(f"a number is needed, not {type(value).__name__}")
    return float(value)
