"""retry.tsv: whether a call is made once more, when, and what limits it."""

from .numbers import SplitMix64

HEADER = """
Columns, separated by one tab. Pairs key=value are separated by one space, in any order.

    name    unique
    kind    budget, back_off, limit, decide or p95
    input   see below
    result  see below

budget    input: CALL@MS or RETRY@MS, in order, ms since the budget was made. result: for each RETRY yes or no.
          In thousandths of a token: it starts with 10000 and never has more than 100000; each ms brings 10, each call 200
          (added when the call begins, before its first attempt); a retry or a hedge takes 1000 or, when fewer are there,
          is denied and takes nothing.
back_off  input: seed=N retries=K. result: the waits in microseconds before retry 1 … K, one random number each (splitmix64):
          below(min(250, 10 * 2^(k-1)) * 1000 + 1).
limit     input: what is known when an attempt begins: attempt (1 …), attempts, idempotent, others=yes when there is an instance
          to call that this call has not tried, token=yes when the budget has one, attempt_timeout and remaining (of the
          call's deadline) in ms. result: how long the attempt may take, in ms.
          min(attempt_timeout, remaining) when attempt < attempts, idempotent, others and token; else remaining: an attempt
          that could not be followed by another is not cut short.
decide    input: error, idempotent, attempt, attempts, others, overloaded=N: how many attempts of this call ended so, this one
          included. result: retry or give. (The budget is asked only after "retry"; when it denies, when the back-off is as long
          as what remains of the deadline, or when the client was closed: give.) The error given is that of the last attempt.
              connect (ConnectError: nothing was sent)     retry, for any method, also on the same instance
              overloaded                                   retry, for any method, when others=yes and overloaded=1
              closed (ConnectionClosed, unanswered),
              attempt_timeout, protocol (ProtocolError)    retry when idempotent, also on the same instance
              application, domain, deadline (the call's), client_closed   give
          and never when attempt = attempts.
p95       input: the latencies in µs, oldest first, N or NxCOUNT. result: after how many µs a hedge is sent, "-" for not at all:
          of the last 1000, sorted, the one at place ceil(0.95 * count) (1 = the smallest), at least 1000; not below 100 samples.
          Latencies are those of answered attempts (any answer but Overloaded), each from its own sending.

A hedge (idempotent methods, others=yes, hedge on) is sent once a call, when its first attempt has taken that long; it takes a
token, counts as an attempt, and goes to an instance not tried. The first answer wins, also an ApplicationError or DomainError;
when one of the two fails otherwise, the other is waited for.
"""

START, MOST, PER_CALL, PER_MS, RETRY = 10_000, 100_000, 200, 10, 1000


def budget(text: str) -> str:
    tokens, last, answers = START, 0, []
    for step in text.split():
        what, at = step.split("@")
        tokens = min(MOST, tokens + (int(at) - last) * PER_MS)
        last = int(at)
        if what == "CALL":
            tokens = min(MOST, tokens + PER_CALL)
        elif tokens >= RETRY:
            tokens -= RETRY
            answers.append("yes")
        else:
            answers.append("no")
    return " ".join(answers)


def back_off(seed: int, retries: int) -> str:
    random = SplitMix64(seed)
    return " ".join(str(random.below(min(250, 10 * 2 ** (k - 1)) * 1000 + 1)) for k in range(1, retries + 1))


def limit(attempt, attempts, idempotent, others, token, attempt_timeout, remaining) -> int:
    bounded = int(attempt) < int(attempts) and idempotent == others == token == "yes"
    return min(int(attempt_timeout), int(remaining)) if bounded else int(remaining)


def decide(error, idempotent, attempt, attempts, others, overloaded="0") -> str:
    wanted = {
        "connect": True,
        "overloaded": others == "yes" and overloaded == "1",
        "closed": idempotent == "yes",
        "attempt_timeout": idempotent == "yes",
        "protocol": idempotent == "yes",
    }.get(error, False)
    return "retry" if wanted and int(attempt) < int(attempts) else "give"


def p95(text: str) -> str:
    latencies = []
    for part in text.split():
        value, _, count = part.partition("x")
        latencies += [int(value)] * int(count or 1)
    latencies = sorted(latencies[-1000:])
    if len(latencies) < 100:
        return "-"
    return str(max(1000, latencies[(len(latencies) * 95 + 99) // 100 - 1]))


def fields(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


BUDGETS = {
    "starts_with_ten": " ".join(["RETRY@0"] * 11),
    "ten_a_second": " ".join(["RETRY@0"] * 10 + ["RETRY@99", "RETRY@100", "RETRY@150", "RETRY@200", "RETRY@299"]),
    "a_fifth_a_call": " ".join(["RETRY@0"] * 10 + ["CALL@0"] * 4 + ["RETRY@0", "CALL@0", "RETRY@0", "RETRY@0"]),
    "at_most_a_hundred": " ".join(["CALL@0"] * 500 + ["RETRY@60000"] * 101),
    "at_most_a_hundred_by_calls": " ".join(["CALL@0"] * 460 + ["RETRY@0"] * 101),
    "denied_takes_nothing": " ".join(["RETRY@0"] * 10 + ["RETRY@50", "RETRY@60", "RETRY@100"]),
}
LIMIT = "attempt={} attempts={} idempotent={} others={} token={} attempt_timeout={} remaining={}"
LIMITS = [
    (1, 3, "yes", "yes", "yes", 1000, 5000),
    (2, 3, "yes", "yes", "yes", 1000, 4000),
    (3, 3, "yes", "yes", "yes", 1000, 3000),
    (1, 1, "yes", "yes", "yes", 1000, 5000),
    (1, 3, "no", "yes", "yes", 1000, 5000),
    (1, 3, "yes", "no", "yes", 1000, 5000),
    (1, 3, "yes", "yes", "no", 1000, 5000),
    (1, 3, "yes", "yes", "yes", 1000, 300),
    (2, 3, "yes", "yes", "yes", 1000, 1000),
]
DECIDE = "error={} idempotent={} attempt={} attempts={} others={} overloaded={}"
P95 = {
    "none": "",
    "ninety_nine": "5000x99",
    "hundred": "2000x95 9000x5",
    "hundred_one_more": "2000x94 9000x6",
    "at_least_a_millisecond": "300x400",
    "of_a_hundred_and_one": "1000x50 2000x45 3000x1 4000x5",
    "the_last_thousand": "90000x500 1500x951 7000x49",
    "the_last_thousand_one_more": "90000x500 1500x949 7000x51",
}


def rows():
    yield ["# name", "kind", "input", "result"]
    for name, text in BUDGETS.items():
        yield [name, "budget", text, budget(text)]
    for seed in (1, 2, 3):
        yield [f"back_off_{seed}", "back_off", f"seed={seed} retries=8", back_off(seed, 8)]
    for i, values in enumerate(LIMITS):
        text = LIMIT.format(*values)
        yield [f"limit_{i}", "limit", text, str(limit(**fields(text)))]
    errors = ["connect", "closed", "attempt_timeout", "protocol", "application", "domain", "deadline", "client_closed"]
    cases = [(e, i, a, 3, o, 0) for e in errors for i in ("yes", "no") for a in (1, 3) for o in ("yes", "no")]
    cases += [("overloaded", i, a, 3, o, a) for i in ("yes", "no") for a in (1, 2) for o in ("yes", "no")]
    cases += [("overloaded", "yes", 2, 3, "yes", 1), ("overloaded", "yes", 3, 3, "yes", 1)]
    cases += [("connect", "yes", 1, 1, "yes", 0), ("connect", "no", 2, 3, "yes", 1)]
    for i, values in enumerate(cases):
        text = DECIDE.format(*values)
        yield [f"decide_{i}", "decide", text, decide(**fields(text))]
    for name, text in P95.items():
        yield [f"p95_{name}", "p95", text or "-", p95(text)]
