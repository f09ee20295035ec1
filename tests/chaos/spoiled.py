"""Replies that are late, out of order, cut, or never come. Calls may fail; none may get another call's answer."""

from __future__ import annotations

import json
import subprocess
import sys

from load import LANGUAGES, PIPELINED, THREADS, Callers
from processes import ROOT, Proxy
from stage import LONG, Stage

TIMEOUT_MS = 200
"""That calls have, and that some replies take longer than."""
CALLS = 1_000_000 if LONG else 20_000
"""Of each language."""


def spoiled_replies(stage: Stage) -> None:
    upstreams = [f"127.0.0.1:{server.port}" for server in stage.fleet.servers[:3]]
    proxies = {language: [Proxy(upstream, TIMEOUT_MS) for upstream in upstreams] for language in LANGUAGES}
    one = {language: own[0].address for language, own in proxies.items()}
    several = {language: ",".join(proxy.address for proxy in own) for language, own in proxies.items()}
    settings = {"totals": stage.totals, "rate": 0, "timeout": TIMEOUT_MS / 1000}
    # Many calls at once on one connection; the same to several servers, with second copies; blocking callers.
    with Callers(one, styles=PIPELINED, callers=64, **settings) as callers:
        callers.call_at_least(CALLS * 70 // 100)
    with Callers(several, styles=PIPELINED, callers=64, hedge="p95", **settings) as callers:
        callers.call_at_least(CALLS * 25 // 100)
    with Callers(several, styles=THREADS, callers=16, **settings) as callers:
        callers.call_at_least(CALLS * 5 // 100)
    for language, own in proxies.items():
        _judge(stage, language, [proxy.take() for proxy in own])
    _see_that_it_can_fail(stage, one["Python"])
    for proxy in (proxy for own in proxies.values() for proxy in own):
        proxy.end()


def _judge(stage: Stage, language: str, counts: list[dict]) -> None:
    """Whether that was done to the language's calls which was to be done."""
    total = stage.totals[language]
    every_offset = set(range(max(count["longest_reply"] for count in counts)))
    closed, reset = ({offset for count in counts for offset in count[how]} for how in ("closed_at", "reset_at"))
    connections, replies, delayed, silent = (
        sum(count[what] for count in counts) for what in ("connections", "replies", "delayed", "silent")
    )
    text = f"{language}: {total.failed / total.calls:.1%} of the calls failed; {connections} connections, "
    text += f"{silent} of them fell silent; {delayed} of {replies} replies delayed; "
    stage.expect(
        total.calls >= CALLS and 2 * total.failed < total.calls and silent > 0 and 3 * delayed > replies,
        text + f"closed at {len(closed)}, reset at {len(reset)} of {len(every_offset)} bytes of a reply",
    )
    stage.expect_quietly(closed == reset == every_offset, f"{language}: not cut at every byte, closed and reset")


def _see_that_it_can_fail(stage: Stage, target: str) -> None:
    command = [sys.executable, ROOT / "tests/chaos/broken_client.py", target]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    text = f"a broken client, which takes replies as they come: {told['wrong']} wrong of {told['calls']} calls"
    stage.expect(told["wrong"] > 0, text)
