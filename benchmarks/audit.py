"""Audit what is certified: draw certification rows again and again, and count how often a promise is broken.

First on the digits of `mnist-sample`, in minutes: thresholds at several limits and numbers of rows
(`benchmarks.audit_sample`), and repeated certification (`benchmarks.audit_attempts`). Then on Fashion-MNIST, if it is
installed: thresholds, abstention and prediction sets (`benchmarks.audit_fashion`). What is not trained yet is trained
first: Fashion-MNIST takes over an hour.

`make bench-audit`, `python -m benchmarks.audit --sample-only`.
"""

import argparse
import json
from typing import Any

from benchmarks import audit_attempts, audit_fashion, audit_sample
from benchmarks.setting import header
from benchmarks.trained import INSTALL, installed


def audit_digits(count: int) -> tuple[dict[str, Any], list[str]]:
    """Audit thresholds and repeated certification on `mnist-sample`; return the figures, and tables with a verdict."""
    whole = audit_sample.sample()
    audited = audit_sample.audit(whole, audit_sample.settings(), count)
    tried = audit_attempts.candidates(whole, max(audit_attempts.COUNTS))
    made = audit_attempts.attempt(whole, tried, count)
    repeated = [audit_attempts.figures(made, attempts) for attempts in audit_attempts.COUNTS]
    own = next(one for one in audited if (one.setting.limit, one.setting.rows) == audit_sample.OWN)
    promises = [one.figures() for one in audited]
    figures = {
        "data": "mnist-sample",
        **{name: own.figures()[name] for name in ("broken_share", "naive_broken_share", "epsilon", "allowed_share")},
        "delta": audit_sample.DELTA,
        "draws": count,
        "sample": [one for one, kept in zip(promises, audited, strict=True) if kept.setting.plain],
        "labels": [one for one, kept in zip(promises, audited, strict=True) if kept.setting.per_label is not None],
        "auto": [one for one, kept in zip(promises, audited, strict=True) if kept.setting.auto],
        "attempts": repeated,
        "within_delta": all(one["broken_share"] <= one["allowed_share"] for one in (*promises, *repeated)),
    }
    rows = f"{len(whole.rows.labels)} validation, certification and test rows"
    return figures, [
        f"\nmnist-sample: {rows}; {count} draws of {whole.validation} and of certification rows, with replacement",
        f"\nthresholds, delta {100 * audit_sample.DELTA:g} %: broken draws, draws that save time, mean ratio of times",
        *audit_sample.table(audited),
        f"\nattempts on the same {audit_attempts.ROWS} rows, the cheapest is kept: broken draws, mean ratio of times",
        *(f"  {number}: {one.name}, epsilon {100 * one.limit:g} %" for number, one in enumerate(tried, 1)),
        *audit_attempts.table(repeated),
        "",
        *(broken(one) for one in (*promises, *repeated) if one["broken_share"] > one["allowed_share"]),
        f"all {len(promises)} promises and {len(repeated)} numbers of attempts are within their delta: "
        + ("yes" if figures["within_delta"] else "NO"),
    ]


def verdict(figures: dict[str, Any]) -> str:
    """Say whether the promise of a task was kept."""
    kept = figures["broken_share"] <= figures["allowed_share"]
    return (
        f"the promise of {100 * figures['epsilon']:g} % is {'kept' if kept else 'BROKEN'}: broken in "
        f"{100 * figures['broken_share']:.1f} % of draws, {100 * figures['allowed_share']:.1f} % allowed; naive "
        f"thresholds break it in {100 * figures['naive_broken_share']:.1f} %"
    )


def broken(one: dict[str, Any]) -> str:
    """Name a promise that broke too often."""
    named = ", ".join(
        f"{name} {one[name]}" for name in ("against", "epsilon", "per_label", "rows", "attempts") if name in one
    )
    return f"BROKEN: {named}: {100 * one['broken_share']:.1f} % of draws, {100 * one['allowed_share']:.1f} % allowed"


def main() -> None:
    """Audit every promise; print the tables, verdicts, and the figures as JSON."""
    parser = argparse.ArgumentParser(description="Audit what is certified, on digits and on Fashion-MNIST.")
    parser.add_argument("--draws", type=int, default=1000, help="draws on Fashion-MNIST, at least 500 (default 1000)")
    parser.add_argument("--sample-draws", type=int, default=500, help="draws on the digits (default 500)")
    parser.add_argument("--sample-only", action="store_true", help="leave Fashion-MNIST out")
    asked = parser.parse_args()
    figures, lines = audit_digits(asked.sample_draws)
    for line in (*header(), *lines, verdict(figures)):
        print(line, flush=True)
    if asked.sample_only or not installed():
        print(f"\nFashion-MNIST is left out: {'--sample-only' if asked.sample_only else f'{INSTALL} gets it'}")
    else:
        large, lines = audit_fashion.audit(max(500, asked.draws))
        figures = {**figures, "sample_draws": figures["draws"], **large}
        print(*lines, "", verdict(large), sep="\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
