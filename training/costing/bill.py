"""Show the cost of predictions: a table and sentences for people, JSON for programs."""

import math
from collections.abc import Sequence

import msgspec
from rich.table import Table

from training.costing.economics import Cost, ModelCost
from training.costing.prices import Prices, Source
from training.costing.savings import LEAST_MEMORY_MB, CheapestMemory, FewestRows, Plan
from training.terminal.printing import console, percent
from weir.protocol.requests import MAX_ROWS

_NOT_COUNTED = (
    "Not counted: the free allowance, cold starts, API Gateway, S3, logs, traffic. "
    "Formulas and sources: docs/economics.md, training/costing/prices.toml."
)


def show(plan: Plan, prices: Prices, *, as_json: bool) -> None:
    """Print a plan on stdout."""
    if as_json:
        print(encode(plan, prices).decode())
        return
    out = console()
    out.print(table(plan, prices))
    for sentence in sentences(plan, prices):
        out.print(sentence, markup=False)


def encode(plan: Plan, prices: Prices) -> bytes:
    """Write a plan, its sentences and the sources of its figures as indented JSON."""
    document = {
        **msgspec.structs.asdict(plan),
        "prices": {"date": prices.date, "region": prices.region},
        "sources": [_cited(source) for source in prices.sources],
        "sentences": sentences(plan, prices),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def table(plan: Plan, prices: Prices) -> Table:
    """Lay out the end-to-end model and the cascade in columns."""
    setting = plan.setting
    bill = Table(title=f"{setting.memory_mb:,} MB, {setting.architecture}, {_rows(setting.rows_per_request)} a request")
    bill.add_column("")
    for column in ("end-to-end", "cascade", "cascade is"):
        bill.add_column(column, justify="right")
    for name, end_to_end, cascade in _times(plan.end_to_end, plan.cascade):
        _add(bill, name, end_to_end, cascade)
    _section(bill, "a million predictions", plan.end_to_end.per_million, plan.cascade.per_million)
    if plan.end_to_end.per_month and plan.cascade.per_month:
        title = f"{setting.requests_per_month:,} requests a month"
        _section(bill, title, plan.end_to_end.per_month, plan.cascade.per_month)
    bill.caption = f"Lambda's prices in {prices.region}, as of {prices.date}; energy and CO2 are estimates"
    return bill


def sentences(plan: Plan, prices: Prices) -> list[str]:
    """Say whether the cascade saves anything, and what would make it save more."""
    return [
        verdict(plan),
        *([above(plan, prices)] if plan.setting.memory_mb > prices.billing.mb_per_vcpu else []),
        *rows_per_request(plan.fewest_rows),
        memory(plan, prices),
        batch(plan),
        _NOT_COUNTED,
    ]


def verdict(plan: Plan) -> str:
    """Say whether the end-to-end model or the cascade is billed less, and which uses less energy."""
    end_to_end, cascade = plan.end_to_end, plan.cascade
    request = f"a request of {_rows(plan.setting.rows_per_request)}"
    if cascade.billed_ms == end_to_end.billed_ms:
        return (
            f"The cascade saves nothing on the bill: {request} runs {_figure(end_to_end.request_ms)} ms end-to-end and "
            f"{_figure(cascade.request_ms)} ms in the cascade, and both are billed {cascade.billed_ms} ms, because "
            "Lambda rounds each request up to whole milliseconds. " + _energy(plan)
        )
    billed = f"{request} is billed {cascade.billed_ms} ms in the cascade and {end_to_end.billed_ms} ms end-to-end"
    dollars = cascade.per_million.dollars / end_to_end.per_million.dollars - 1
    if cascade.billed_ms > end_to_end.billed_ms:
        return f"The cascade costs more: {billed}, which is {percent(dollars)} more dollars."
    return f"The cascade saves {percent(-dollars)} of the dollars: {billed}. {_energy(plan)}"


def above(plan: Plan, prices: Prices) -> str:
    """Say that memory beyond one vCPU does not make one thread faster."""
    whole, setting = prices.billing.mb_per_vcpu, plan.setting
    return (
        f"Above {whole:,} MB one thread gains nothing: a request takes as long at {setting.memory_mb:,} MB as at "
        f"{whole:,} MB, and each millisecond costs {setting.memory_mb / whole:.2f} times as much."
    )


def rows_per_request(found: Sequence[FewestRows]) -> list[str]:
    """Say how many rows per request it takes for each saving, in one sentence where all savings take as many."""
    if len({(one.rows, one.lasting_from) for one in found}) > 1:
        return [fewest(one, f"{_less(one)} end-to-end") for one in found]
    *others, smallest = found
    also = "".join(f", and even {_less(one)} it" for one in others) if smallest.rows else ""
    return [fewest(smallest, f"{_less(smallest)} end-to-end{also}")]


def _less(one: FewestRows) -> str:
    return "at most half of" if one.less_percent == 50 else f"at least {one.less_percent} % less than"  # noqa: PLR2004


def fewest(fewest_rows: FewestRows, less: str) -> str:
    """Say how many rows per request it takes for the cascade to be billed so much less."""
    if fewest_rows.rows is None:
        return f"Rows per request: at no number up to {MAX_ROWS:,} is the cascade billed {less}."
    lasting = {
        fewest_rows.rows: f"and at every number from there to {MAX_ROWS:,}",
        None: "but not at every number from there on, because milliseconds are rounded up",
    }.get(fewest_rows.lasting_from, f"and at every number from {fewest_rows.lasting_from} to {MAX_ROWS:,}")
    return f"Rows per request: {fewest_rows.rows} is the smallest at which the cascade is billed {less}, {lasting}."


def memory(plan: Plan, prices: Prices) -> str:
    """Say at which memory the end-to-end model and the cascade cost least."""
    return (
        f"Memory: of {LEAST_MEMORY_MB} to {prices.billing.mb_per_vcpu:,} MB, a million predictions cost least "
        f"end-to-end at {_at(plan.cheapest_end_to_end)} and in the cascade at {_at(plan.cheapest_cascade)}, with "
        f"{_rows(plan.setting.rows_per_request)} a request. Less memory means less CPU and slower answers; whether "
        "the function fits into it is not checked."
    )


def batch(plan: Plan) -> str:
    """Say what the cascade saves in a batch, where rounding does not matter."""
    return (
        f"Batch: in a file of many rows nothing is lost to rounding, and the cascade's networks take "
        f"{percent(plan.batch_share)} of the end-to-end model's time; reading and writing the file take both "
        "equally long."
    )


def _energy(plan: Plan) -> str:
    share = plan.cascade.per_million.joules / plan.end_to_end.per_million.joules
    than = f"{percent(abs(1 - share))} {'less' if share <= 1 else 'more'}"
    return f"Energy depends on the time that the code runs: the cascade uses {than}."


def _times(end_to_end: ModelCost, cascade: ModelCost) -> tuple[tuple[str, float, float], ...]:
    return (
        ("time per row, measured, µs", end_to_end.row_us, cascade.row_us),
        ("a request runs, ms", end_to_end.request_ms, cascade.request_ms),
        ("a request is billed, ms", end_to_end.billed_ms, cascade.billed_ms),
    )


def _section(bill: Table, title: str, end_to_end: Cost, cascade: Cost) -> None:
    bill.add_section()
    bill.add_row(f"{title}:")
    _add(bill, "  dollars", end_to_end.dollars, cascade.dollars)
    _add(bill, "  GB-seconds billed", end_to_end.gb_seconds, cascade.gb_seconds)
    _add(bill, "  joules", end_to_end.joules, cascade.joules)
    _add(bill, "  grams of CO2", end_to_end.gco2, cascade.gco2)


def _add(bill: Table, name: str, end_to_end: float, cascade: float) -> None:
    bill.add_row(name, _figure(end_to_end), _figure(cascade), percent(cascade / end_to_end))


def _cited(source: Source) -> str:
    return f"{source.title} ({source.date}): {source.url}"


def _at(cheapest: CheapestMemory) -> str:
    return f"{cheapest.memory_mb:,} MB (${_figure(cheapest.dollars)})"


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _figure(value: float) -> str:
    """Write a number above 0 with four significant digits, or with its whole part if that is longer."""
    decimals = max(0, 3 - math.floor(math.log10(value)))
    return f"{value:,.{decimals}f}" if value != int(value) else f"{int(value):,}"
