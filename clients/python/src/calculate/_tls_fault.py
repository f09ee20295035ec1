"""What can go wrong with TLS, in words: each goes on a sentence that names the server, and says what to do."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence

from ._one_line import one_line

_TLS_RECORDS = (b"\x14", b"\x15", b"\x16", b"\x17")  # the types that a record of TLS begins with (RFC 8446, 5.1)
PLAIN = "for a plain Thrift port, connect without TLS"
NAME = "correct the address, or give the server name"

# OpenSSL's numbers of failed checks (X509_V_ERR_…).
_NOT_YET_VALID = 9
_EXPIRED = 10
_UNTRUSTED = (2, 18, 19, 20, 21)
_WRONG_NAME = (62, 64)

# Alerts (RFC 8446, 6.2) by which a server refuses a certificate, and those that say there is nothing in common.
_CERTIFICATE_ALERTS = (
    "bad certificate",
    "unsupported certificate",
    "certificate revoked",
    "certificate expired",
    "certificate unknown",
    "unknown ca",
    "access denied",
    "decrypt error",
    "certificate required",
)
_NOTHING_IN_COMMON = ("handshake failure", "protocol version", "insufficient security", "unsupported protocol")


class TlsFault(OSError):
    """TLS with the server failed."""


class TlsRefusal(TlsFault):
    """TLS was never agreed on, so that no call was carried out."""


def check_failed(error: ssl.SSLCertVerificationError, name: str, names: Sequence[str]) -> TlsRefusal:
    """The server's certificate, which is for ``names``, did not pass for ``name``."""
    code = error.verify_code
    if code == _EXPIRED:
        return TlsRefusal("its certificate has expired; the server needs a new one (or is this machine's clock wrong?)")
    if code == _NOT_YET_VALID:
        return TlsRefusal("its certificate is not valid yet; is this machine's clock right?")
    if code in _UNTRUSTED:
        return TlsRefusal(
            "its certificate is signed by an authority that is not trusted; if it should be, give the authority's file "
            "(ca)"
        )
    if code in _WRONG_NAME:
        which = one_line(", ".join(names)) if names else "another name"
        return TlsRefusal(f"its certificate is for {which}, not for {name}; {NAME}")
    return TlsRefusal(f"its certificate is not accepted ({one_line(error.verify_message)})")


def handshake_failed(error: ssl.SSLError, name: str, start: bytes, greeted: bool, shown: bool | None) -> TlsRefusal:
    """``start`` is what the server sent first; ``greeted``: it had chosen version and cipher; ``shown``: as refused."""
    if start and start[:1] not in _TLS_RECORDS:
        return TlsRefusal(f"it does not speak TLS; {PLAIN}")
    reason = _reason(error)
    if not greeted and reason in _NOTHING_IN_COMMON:
        return TlsRefusal(f"no TLS version or cipher in common ({reason}); this client speaks TLS 1.2 and 1.3")
    if greeted and reason == "handshake failure":  # how TLS 1.2 says it
        reason = "certificate required"
    if reason == "unrecognized name":
        return TlsRefusal(f"it has no certificate for {name}; {NAME}")
    return refused(reason, shown) or TlsRefusal(f"the handshake failed ({reason})")


def hung_up(start: bytes) -> TlsRefusal:
    """The connection ended in the handshake."""
    if not start:
        return TlsRefusal(f"it closed the connection as TLS began, so it may not speak TLS; {PLAIN}")
    return TlsRefusal("it closed the connection during the TLS handshake")


def spoke_first() -> TlsRefusal:
    """Data came before any call."""
    return TlsRefusal("it sent data before it was asked for any; is it a Thrift server?")


def broken(error: ssl.SSLError, shown: bool | None) -> TlsFault:
    """After the handshake. Under TLS 1.3 this is also how a server refuses a certificate."""
    reason = _reason(error)
    return refused(reason, shown) or TlsFault(f"TLS failed: {reason}")


def cut() -> TlsFault:
    """The connection ended, but not the TLS in it (RFC 8446, 6.1)."""
    return TlsFault("cut off without a TLS close_notify")


def refused(reason: str, shown: bool | None) -> TlsRefusal | None:
    """The server's alert about the client's certificate; ``shown`` is whether one was, None when that is not known."""
    if reason not in _CERTIFICATE_ALERTS:
        return None
    if shown is False:
        return TlsRefusal("it wants a client certificate and none was given; give certificate and key")
    if reason == "certificate required":
        return TlsRefusal(
            "it wants a client certificate, and was shown none that it takes; is its authority the right one?"
        )
    return TlsRefusal(f"it refused the client certificate ({reason}); is it valid, and from an authority it trusts?")


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's reason or the server's alert, without what differs between their kinds."""
    text = (error.reason or str(error)).replace("_", " ").lower()
    return one_line(re.sub(r"^(sslv3|tlsv1|tlsv13) (alert )?", "", text))
