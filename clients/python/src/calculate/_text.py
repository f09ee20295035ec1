"""The one-line texts of errors: what happened, with which server, and what to do."""

from __future__ import annotations

import os

from ._one_line import one_line
from ._tls_fault import TlsFault, TlsRefusal


def overloaded(server: str, method: str, text: str) -> str:
    reason = f" ({one_line(text)})" if text else ""
    return f"{server} is overloaded and did not carry out {method}{reason}; try again later"


def protocol(server: str, what: str) -> str:
    return f"{server} {one_line(what)}; the connection was closed"


def closed_by_fault(server: str, what: str) -> str:
    return f"the connection to {server} was closed, as the server {one_line(what)}; the call may have been carried out"


def closed_by_server(server: str) -> str:
    return f"{server} closed the connection before it answered; the call may have been carried out"


def closed_at_once(server: str) -> str:
    return f"{server} closes every new connection at once; it may be at its limit or stopping: try again later"


def closed_by_client(server: str) -> str:
    return f"this client of {server} was closed"


def may_want_tls(text: str) -> str:
    return f"{text}; if the server wants TLS, connect with TLS"


def wants_tls(server: str) -> str:
    return f"{server} closed the connection, as it wants TLS; connect with TLS"


def lost(server: str, error: OSError) -> str:
    if isinstance(error, TlsRefusal):
        return f"{server} closed the connection: {error}"
    return f"the connection to {server} was lost ({_reason(error)}); the call may have been carried out"


def stalled(server: str) -> str:
    return (
        f"the connection to {server} was closed, as the server had stopped reading; the call may have been carried out"
    )


def cannot_connect(server: str, error: OSError | ValueError) -> str:
    if isinstance(error, TlsFault):
        return f"cannot connect to {server} with TLS: {error}"
    return f"cannot connect to {server} ({_reason(error)}); is it running, and is this its address?"


def no_time_to_connect(server: str, timeout: float) -> str:
    return f"no connection to {server} within {timeout:g} s; is it running, and is this its address?"


def no_time_for_handshake(server: str, timeout: float) -> str:
    return f"no TLS handshake with {server} within {timeout:g} s; is it busy, and does it speak TLS?"


def no_answer(server: str, method: str, timeout: float) -> str:
    return f"{server} did not answer {method} within {timeout:g} s; is it busy, or is the time-out too short?"


def not_taken(server: str, method: str, timeout: float) -> str:
    return f"{server} did not take {method} within {timeout:g} s; is it busy, or is the time-out too short?"


def no_instance(service: str, known: int, usable: int, fitting: int, *, tls: bool) -> str:
    if known == 0:
        return f"no instance of {service} is known"
    if usable == 0:
        return f"none of the {known} known instances of {service} can be called: {unusable(tls=tls)}"
    if fitting == 0:
        return f"none of the {known} known instances of {service} is of the version and the group that are asked for"
    return f"all {fitting} fitting instances of {service} are out of service (not enabled, or their weight is 0)"


def no_list(service: str, problem: str, timeout: float) -> str:
    return f"no instance of {service} was found within {timeout:g} s: {problem}"


def unusable(*, tls: bool) -> str:
    return "it has no port for TLS" if tls else "it wants TLS, and this client does not use it"


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return one_line(str(error))
    # A look-up's error brings a text but no errno that os knows.
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return one_line(error.strerror or str(error) or type(error).__name__)
