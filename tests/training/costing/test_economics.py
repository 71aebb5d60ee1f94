"""training.costing, and `weir plan` which shows its figures."""

import json
import re
import shlex
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.serving import ROOT
from tests.training.quick import copied, weir
from training.costing import bill, economics, prices, savings
from training.costing.economics import Setting
from training.costing.savings import MeasuredTimes
from training.measuring.results import CascadeResult, Evaluation, NetworkResult
from weir.errors import BadInput
from weir.protocol.requests import MAX_ROWS

PRICES = prices.load()
NOTHING = "saves nothing on the bill"
DEFAULT = Setting()

row_us = st.floats(0.1, 50_000)
settings = st.builds(
    Setting,
    memory_mb=st.integers(128, 10_240),
    rows_per_request=st.integers(1, MAX_ROWS),
    overhead_ms=st.floats(0, 1000),
    architecture=st.sampled_from(["x86_64", "arm64"]),
)


def _plan(end_to_end_us: float, cascade_us: float, setting: Setting = DEFAULT) -> savings.Plan:
    return savings.plan(MeasuredTimes(end_to_end_us=end_to_end_us, cascade_us=cascade_us), setting, PRICES)


def test_the_table_is_dated_and_names_a_source_for_every_number() -> None:
    """Every key of billing, processors and carbon has a source, except definitions and choices."""
    sourced = " ".join(source.gives for source in PRICES.sources)
    processor = PRICES.architectures["x86_64"]
    keys = {*PRICES.billing.__struct_fields__, *processor.__struct_fields__, *PRICES.carbon.__struct_fields__}
    assert keys - set(re.findall(r"\w+", sourced)) == {"mb_per_gb", "server", "server_vcpus"}
    assert all(source.date <= PRICES.date and source.url.startswith("https://") for source in PRICES.sources)


def test_a_table_with_an_unknown_key_is_refused() -> None:
    """A misspelt key is an error, so that no figure is silently left out."""
    text = (resources.files("training.costing") / "prices.toml").read_text()
    with pytest.raises(msgspec.ValidationError, match="gird"):
        msgspec.toml.decode(text.replace("[carbon]", "[carbon]\ngird = 1"), type=prices.Prices)


def test_the_smallest_memory_is_the_templates() -> None:
    """`weir plan` recommends no memory that the template does not allow."""
    parameter = re.search(
        r"^  Memory:\n(?:    .*\n)*?    MinValue: (\d+)", (ROOT / "template.yaml").read_text(), re.MULTILINE
    )
    assert parameter
    assert int(parameter[1]) == savings.LEAST_MEMORY_MB


@pytest.mark.parametrize(
    ("duration_ms", "billed"),
    [(0, 1), (0.001, 1), (1, 1), (1.000001, 2), (1.0000000001, 1), (0.1 + 0.2 + 0.7, 1), (29_000, 29_000)],
)
def test_time_is_billed_in_whole_milliseconds(duration_ms: float, billed: int) -> None:
    """Times are rounded up to whole milliseconds; a rounding error of the floats is not billed."""
    assert economics.billed_ms(duration_ms) == billed


def test_a_coarser_step_bills_more() -> None:
    """A step of 100 ms, which Lambda had before December 2020, rounds up to 100 ms."""
    assert economics.billed_ms(101, 100) == 200


@pytest.mark.parametrize(
    ("memory_mb", "rows", "expected"),
    [(1769, 1, 0.7), (1769, 4, 2.2), (1024, 1, 0.7 * 1769 / 1024), (128, 4, 2.2 * 1769 / 128), (3538, 4, 2.2)],
)
def test_time_follows_rows_and_memory(memory_mb: int, rows: int, expected: float) -> None:
    """CPU grows with memory up to one vCPU, and one thread gains nothing above that; a row takes 500 µs here."""
    setting = Setting(memory_mb=memory_mb, rows_per_request=rows)
    assert economics.request_ms(500, setting, PRICES) == pytest.approx(expected)


def test_a_million_predictions_by_hand() -> None:
    """The figures are those computed by hand: at 1,024 MB a request of 2.2 ms runs 3.8008 ms and is billed 4 ms."""
    model = economics.model_cost(2000, Setting(memory_mb=1024), PRICES)
    assert model.request_ms == pytest.approx(2.2 * 1769 / 1024)
    assert model.billed_ms == 4
    cost = model.per_million
    assert cost.gb_seconds == pytest.approx(4000)
    assert cost.dollars == pytest.approx(4000 * 0.0000166667 + 0.2)
    # 2,200 s of a whole vCPU, at 0.74 + 0.5 * (3.5 - 0.74) = 2.12 W, and a PUE of 1.135
    assert cost.cpu_joules == pytest.approx(2200 * 2.12 * 1.135)
    # 3,800.6 s of one GB, at 0.392 W
    assert cost.memory_joules == pytest.approx(2200 * 1769 / 1024 * 0.392 * 1.135)
    assert cost.operational_gco2 == pytest.approx((cost.cpu_joules + cost.memory_joules) / 3.6e6 * 379.069)
    # of 1,610.79 kg over four years and 96 vCPUs
    assert cost.embodied_gco2 == pytest.approx(1_610_790 * 2200 / (4 * 365 * 24 * 3600) / 96)
    assert cost.joules == pytest.approx(cost.cpu_joules + cost.memory_joules)
    assert cost.gco2 == pytest.approx(cost.operational_gco2 + cost.embodied_gco2)


def test_arm_is_cheaper_for_the_same_time() -> None:
    """arm64 has its own price, power and server emissions, all of them lower."""
    cost = economics.model_cost(2000, Setting(memory_mb=1024, architecture="arm64"), PRICES).per_million
    assert cost.dollars == pytest.approx(4000 * 0.0000133334 + 0.2)
    assert cost.cpu_joules == pytest.approx(2200 * 1.08 * 1.135)
    assert cost.embodied_gco2 == pytest.approx(1_333_120 * 2200 / (4 * 365 * 24 * 3600) / 64)


def test_a_month_is_so_many_requests() -> None:
    """The monthly cost counts requests, not predictions: a request of ten rows is one request."""
    model = economics.model_cost(2000, Setting(rows_per_request=10, requests_per_month=3_000_000), PRICES)
    assert model.per_month
    assert model.per_month.dollars == pytest.approx(30 * model.per_million.dollars)


@given(row_us, settings)
def test_a_request_never_costs_less_with_more_rows(one_row_us: float, setting: Setting) -> None:
    """More rows never cost less per request, and twice the rows never cost more per row."""
    one = economics.model_cost(one_row_us, setting, PRICES)
    more = msgspec.structs.replace(setting, rows_per_request=setting.rows_per_request + 1)
    assert economics.model_cost(one_row_us, more, PRICES).billed_ms >= one.billed_ms
    double = msgspec.structs.replace(setting, rows_per_request=2 * setting.rows_per_request)
    assert economics.model_cost(one_row_us, double, PRICES).per_million.dollars <= one.per_million.dollars * (1 + 1e-12)


@given(row_us, settings)
def test_never_less_is_billed_than_runs(one_row_us: float, setting: Setting) -> None:
    """A request is billed less than 1 ms more than it runs, a faster row never costs more, and no figure is zero."""
    model = economics.model_cost(one_row_us, setting, PRICES)
    assert -1e-6 < model.billed_ms - model.request_ms < 1
    faster = economics.model_cost(one_row_us / 2, setting, PRICES).per_million
    for name, value in msgspec.structs.asdict(model.per_million).items():
        assert 0 < getattr(faster, name) <= value


@given(row_us, st.integers(128, 1769))
def test_energy_does_not_depend_on_memory_up_to_a_vcpu(one_row_us: float, memory_mb: int) -> None:
    """Up to one vCPU, less memory takes longer with less power, and uses the same energy."""
    whole = economics.model_cost(one_row_us, Setting(), PRICES).per_million.joules
    assert economics.model_cost(one_row_us, Setting(memory_mb=memory_mb), PRICES).per_million.joules == pytest.approx(
        whole
    )


@given(row_us, st.integers(1770, 10_240))
def test_memory_above_a_vcpu_costs_more_and_gains_nothing(one_row_us: float, memory_mb: int) -> None:
    """Above one vCPU, a request is billed as many milliseconds, and each of them costs more."""
    whole = economics.model_cost(one_row_us, Setting(), PRICES)
    larger = economics.model_cost(one_row_us, Setting(memory_mb=memory_mb), PRICES)
    assert larger.billed_ms == whole.billed_ms
    assert larger.per_million.dollars > whole.per_million.dollars


@examples(deadline=None)  # hundreds of sizes are tried
@given(row_us, row_us, settings)
def test_it_says_that_nothing_is_saved_exactly_when_the_same_is_billed(
    one: float, two: float, setting: Setting
) -> None:
    """The sentence claims a saving, a loss or neither, exactly as the billed times do."""
    plan = _plan(one, two, setting)
    verdict, cascade_ms, end_to_end_ms = bill.verdict(plan), plan.cascade.billed_ms, plan.end_to_end.billed_ms
    assert (NOTHING in verdict) == (cascade_ms == end_to_end_ms)
    assert ("The cascade saves " in verdict and NOTHING not in verdict) == (cascade_ms < end_to_end_ms)
    assert ("costs more" in verdict) == (cascade_ms > end_to_end_ms)


@pytest.mark.parametrize(
    ("times", "half", "tenth"),
    [
        # end-to-end passes 1 ms at 28 rows (0.2 + 28 * 0.0291 = 1.0148), the cascade at 171
        ((29.1, 4.7), (28, 28), (28, 28)),
        # rows 2 to 6 are billed 2, 2, 3, 3, 4 ms end-to-end and 1, 2, 2, 3, 3 in the cascade
        ((500, 400), (2, None), (2, 6)),
        ((500, 500), (None, None), (None, None)),
        ((500, 600), (None, None), (None, None)),
        ((9000, 900), (1, 1), (1, 1)),
    ],
)
def test_the_fewest_rows_are_the_fewest(
    times: tuple[float, float], half: tuple[int | None, int | None], tenth: tuple[int | None, int | None]
) -> None:
    """The plan has the first number of rows that saves as much, and the number from which on all do."""
    fewest = _plan(*times).fewest_rows
    assert [(each.less_percent, each.rows, each.lasting_from) for each in fewest] == [(50, *half), (10, *tenth)]


def test_sentences_about_rows() -> None:
    """Each sentence has the number of rows and how far the saving lasts, or says that there is no such number."""
    sentences = [bill.rows_per_request(_plan(*times).fewest_rows) for times in [(29.1, 4.7), (500, 400)]]
    assert re.search(r"28 is the smallest .* at most half of .* every number from there to 1,024", sentences[0][0])
    assert "but not at every number from there on" in sentences[1][0]
    assert re.search(r"2 is the smallest .* at least 10 % less than .* and at every number from 6", sentences[1][1])


def test_both_savings_at_one_number_are_one_sentence() -> None:
    """It says so once; where there is no number for the smaller saving, there is none for the larger."""
    (never,), (always,) = (bill.rows_per_request(_plan(*times).fewest_rows) for times in [(5, 5), (9000, 900)])
    assert never.endswith("at no number up to 1,024 is the cascade billed at least 10 % less than end-to-end.")
    assert "1 is the smallest" in always
    assert "at least 10 % less than end-to-end, and even at most half of it, and at every number" in always


def test_the_cheapest_memory_is_the_cheapest() -> None:
    """The cheapest memory fills the billed milliseconds: 0.4 ms fill 1 ms at 708 MB, 8 ms fill 8 ms of a vCPU."""
    assert savings.cheapest_memory(200, Setting(), PRICES).memory_mb == 708
    assert savings.cheapest_memory(7800, Setting(), PRICES).memory_mb == 1769


@examples(deadline=None)  # hundreds of sizes are tried
@given(row_us, st.integers(256, 1769))
def test_no_memory_is_cheaper_than_the_cheapest(one_row_us: float, memory_mb: int) -> None:
    """No other memory that the template allows costs less than the one that is recommended."""
    best = savings.cheapest_memory(one_row_us, Setting(), PRICES).dollars
    dollars = economics.model_cost(one_row_us, Setting(memory_mb=memory_mb), PRICES).per_million.dollars
    assert best <= dollars * (1 + 1e-12)


def test_memory_above_a_vcpu_gets_a_sentence() -> None:
    """The sentence is shown only when the memory is more than that of one vCPU."""
    assert "one thread gains nothing" in " ".join(bill.sentences(_plan(29, 5, Setting(memory_mb=3538)), PRICES))
    assert "one thread gains nothing" not in " ".join(bill.sentences(_plan(29, 5), PRICES))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (Setting(memory_mb=127), "a function's memory is 128 to 10,240 MB. Got: 127"),
        (Setting(memory_mb=10_241), "a function's memory is 128 to 10,240 MB. Got: 10241"),
        (Setting(rows_per_request=0), "rows per request are 1 to 1,024. Got: 0"),
        (Setting(rows_per_request=1025), "rows per request are 1 to 1,024. Got: 1025"),
        (Setting(overhead_ms=-0.1), "the overhead of a request is 0 to 1,000 ms. Got: -0.1"),
        (Setting(overhead_ms=float("nan")), "the overhead of a request is 0 to 1,000 ms. Got: nan"),
        (Setting(requests_per_month=0), "requests per month are 1 or more. Got: 0"),
    ],
)
def test_a_setting_out_of_range_is_refused(setting: Setting, message: str) -> None:
    """The error states the limit that the setting breaks."""
    with pytest.raises(BadInput, match=f"^{re.escape(message)}$"):
        _plan(29, 5, setting)


def test_a_time_of_zero_is_refused() -> None:
    """A cost can't be computed from a time that was not measured."""
    network = NetworkResult(accuracy=1, float_accuracy=1, size_bytes=1, latency_us=29, quantization="int8", ece=0)
    cascade = CascadeResult(accuracy=1, latency_us=0, regret=0, ece=0, ece_before=0, ece_floor=0)
    with pytest.raises(BadInput, match=r"above 0 µs. Got: 0"):
        savings.times(Evaluation(end_to_end=network, levels=(), cascade=cascade))


def test_plan_shows_what_a_training_would_cost(trained: Path) -> None:
    """The command prints a table and sentences; these networks are so small that one row saves nothing."""
    done = weir("plan", trained, "--requests-per-month", "5000")
    assert (done.returncode, done.stderr) == (0, "")
    printed = " ".join(done.stdout.split())
    for part in ("a million predictions", "5,000 requests a month", "GB-seconds", NOTHING, "Memory:", "Batch:"):
        assert part in printed


def test_plan_prints_json(trained: Path) -> None:
    """The figures follow from the times in the summary and from every option."""
    options = shlex.split(
        "--memory 512 --rows-per-request 64 --overhead-ms 1 --architecture arm64 --requests-per-month 7"
    )
    printed = json.loads(weir("plan", trained, "--json", *options).stdout)
    summary = json.loads((trained / "summary.json").read_text())
    setting = Setting(memory_mb=512, rows_per_request=64, overhead_ms=1, architecture="arm64", requests_per_month=7)
    assert printed["setting"] == msgspec.to_builtins(setting)
    for name in ("end_to_end", "cascade"):
        expected = economics.model_cost(summary[name]["latency_us"], setting, PRICES)
        assert printed[name] == msgspec.to_builtins(expected)
    assert printed["prices"] == {"date": PRICES.date.isoformat(), "region": "us-east-1"}
    assert len(printed["sources"]) == len(PRICES.sources)
    assert all(isinstance(sentence, str) for sentence in printed["sentences"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere"], "a training folder is one that `weir train` completed. Got: /nowhere"),
        (["{trained}", "--memory", "64"], "a function's memory is 128 to 10,240 MB. Got: 64"),
        (["{trained}", "--rows-per-request", "2000"], "rows per request are 1 to 1,024. Got: 2000"),
        (["{trained}", "--architecture", "riscv"], "x86_64"),
        (["{broken}"], "a training folder holds the summary.json that its training wrote. Got: "),
    ],
)
def test_bad_input_is_one_line_that_states_the_rule(
    arguments: list[str], message: str, trained: Path, tmp_path: Path
) -> None:
    """The error is one line on stderr, and the exit code is 2."""
    broken = copied(trained, tmp_path)
    (broken / "summary.json").unlink()
    done = weir("plan", *(argument.format(trained=trained, broken=broken) for argument in arguments))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr
