"""versions.tsv: under which name a client calls an instance that hosts several versions of a service."""

HEADER = """
Columns, separated by one tab:

    name    unique
    hosted  the versions that the instance says it hosts, as in its payload; "-" when it does not say
    range   the versions that the client asks for: N, N-M or N+; "-" when it does not ask
    called  the version whose name the client calls: version N of SERVICE is the service SERVICE.vN of a multiplexed server, so
            the method METHOD is called SERVICE.vN:METHOD. "-": by the method's plain name

An instance that hosts several versions is called by the name of the highest that is in the range. Not so for its lowest, which
has the plain name, as has the only one. Who asks for no version calls by the plain name. The reply has the plain name always.
"""

SCENARIOS = {
    "nobody_asks": ("1,2", "-"),
    "it_does_not_say": ("-", "2"),
    "it_does_not_say_and_nobody_asks": ("-", "-"),
    "the_only_one": ("2", "2"),
    "the_only_one_of_a_range": ("2", "1-3"),
    "the_lowest": ("1,2", "1"),
    "the_lowest_is_not_1": ("2,3", "2"),
    "the_higher": ("1,2", "2"),
    "the_highest_of_a_range": ("1,2", "1-2"),
    "the_highest_of_an_open_range": ("1,2,3", "2+"),
    "not_beyond_the_range": ("1,2,3", "1-2"),
    "in_any_order": ("3,1,2", "1-2"),
    "in_any_order_the_lowest": ("3,1,2", "1"),
    "twice_the_same": ("2,2", "2"),
    "as_numbers": ("9,10", "1+"),
    "long": ("1,999999999", "2+"),
    "none_in_the_range": ("1,2", "3"),
}


def called(hosted: str, wanted: str) -> str:
    if "-" == hosted or "-" == wanted:
        return "-"
    versions = [int(version) for version in hosted.split(",")]
    if wanted.endswith("+"):
        fitting = [version for version in versions if version >= int(wanted[:-1])]
    else:
        ends = [int(end) for end in wanted.split("-")]
        fitting = [version for version in versions if ends[0] <= version <= ends[-1]]
    return str(max(fitting)) if fitting and max(fitting) != min(versions) else "-"


def rows():
    yield ["# name", "hosted", "range", "called"]
    for name, (hosted, wanted) in SCENARIOS.items():
        yield [name, hosted, wanted, called(hosted, wanted)]
