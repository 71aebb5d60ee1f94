"""training.recertification, by `weir certify` on a folder of the tiny networks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.training.quick import copied
from tests.training.thirds import pictures, steady_times, write_training
from training import folder
from training.certifying import attempts as attempts_file
from training.certifying import model_certification
from training.certifying.attempts import digests_of
from training.certifying.loss_promise import Uncertified
from training.cli import weir as group
from training.measuring import reload
from training.recertification import promise_of
from training.task import Promise
from weir.catalog.manifest import Manifest, encode
from weir.catalog.promises import Certificate
from weir.errors import BadInput, Rejected

FRESH = pictures(700, 9)


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_certification, "times", steady_times)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training without a promise; tests leave it as it is."""
    out = tmp_path_factory.mktemp("training") / "thirds"
    write_training(out)
    return out


@pytest.fixture
def trained(plain: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return copied(plain, tmp_path)


@pytest.fixture(scope="module")
def certified(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder, certified once for 5 %; tests leave it as it is."""
    out = copied(plain, tmp_path_factory.mktemp("certified"))
    _certified(out, "--max-loss", "0.05")
    return out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fresh rows in every format."""
    root = tmp_path_factory.mktemp("fresh")
    np.savez(root / "labelled.npz", x=FRESH.inputs, y=FRESH.labels)
    np.savez(root / "unlabelled.npz", x=FRESH.inputs)
    np.save(root / "unlabelled.npy", FRESH.inputs)
    lines = [",".join(map(str, row.ravel().tolist())) for row in FRESH.inputs]
    (root / "unlabelled.csv").write_text("\n".join(lines))
    return root


def _certify(trained: Path, *arguments: str | Path) -> Result:
    """Run the command in this process; its exit codes are those of the errors, 2 for what is rejected."""
    return CliRunner().invoke(group, ["certify", str(trained), *map(str, arguments)])


def _certified(trained: Path, *arguments: str | Path) -> Certificate:
    done = _certify(trained, *arguments)
    assert done.exception is None, done.exception
    certificate = folder.manifest(trained).certificate
    assert certificate is not None
    return certificate


def _contents(trained: Path) -> dict[str, bytes]:
    paths = [path for path in trained.rglob("*") if path.is_file()]
    return {str(path.relative_to(trained)): path.read_bytes() for path in paths}


def test_the_limit_is_settled_by_the_rows(trained: Path) -> None:
    """300 rows carry 1 %, which the command says and the manifest's configuration leaves at `auto`."""
    done = _certify(trained)
    assert done.exception is None, done.exception
    assert "300 certification rows carry 1 % at delta 5 %; 0.5 % takes at least 598" in done.stderr
    manifest = folder.manifest(trained)
    assert manifest.certificate is not None
    assert (manifest.certificate.max_loss, manifest.certificate.attempt) == (0.01, 1)
    assert promise_of(manifest) == Promise()
    assert msgspec.json.decode((trained / folder.SUMMARY).read_bytes())["promise"] in " ".join(done.stdout.split())


def test_an_agreement_is_certified(trained: Path) -> None:
    """It is against the last level's labels, and the printed promise says so."""
    done = _certify(trained, "--against", "agreement", "--json")
    certificate = folder.manifest(trained).certificate
    assert certificate is not None
    assert certificate.against == "agreement"
    promise = msgspec.json.decode(done.stdout)["promise"]
    assert promise.startswith("with 95 % confidence, the cascade's label is another than the last level's on at most 1")


def test_a_promise_for_each_label_is_certified(trained: Path) -> None:
    """It is in the certificate and has a line of its own; the 300 rows of three labels carry 5 % each."""
    done = _certify(trained, "--max-loss", "0.05", "--max-loss-per-label", "0.05", "--json")
    certificate = folder.manifest(trained).certificate
    assert certificate is not None
    assert certificate.per_label is not None
    assert [one.label for one in certificate.per_label.labels] == list(folder.manifest(trained).labels)
    assert sum(one.rows for one in certificate.per_label.labels) == certificate.rows == 300
    assert all(one.losses <= one.max_losses for one in certificate.per_label.labels)
    assert sum(one.losses for one in certificate.per_label.labels) == certificate.losses
    assert certificate.label_summary in msgspec.json.decode(done.stdout)["promise"].splitlines()
    assert promise_of(folder.manifest(trained)).max_loss_per_label == 0.05


def test_an_agreement_for_each_label_needs_no_labels(trained: Path, files: Path) -> None:
    """Rows count for the label that the last level gives them."""
    path = files / "unlabelled.npy"
    certificate = _certified(trained, "--against", "agreement", "--max-loss-per-label", "auto", "--data", path)
    assert certificate.per_label is not None
    counts = {one.label: one.rows for one in certificate.per_label.labels} | certificate.per_label.too_few
    assert sum(counts.values()) == 700
    assert len(certificate.per_label.too_few) == 1  # a label that the last level hardly ever gives
    needed = certificate.per_label.rows_needed
    assert max(certificate.per_label.too_few.values()) < needed <= min(one.rows for one in certificate.per_label.labels)


def test_a_promise_for_each_label_is_another_test(trained: Path) -> None:
    """It spends half of delta."""
    assert _certified(trained, "--max-loss", "0.05").attempt == 1
    assert _certified(trained, "--max-loss", "0.05", "--max-loss-per-label", "0.1").attempt == 2


def test_a_second_promise_is_a_second_attempt(trained: Path) -> None:
    """It has half of delta, and the certificate, the file and the printed line count it."""
    first = _certified(trained)
    done = _certify(trained, "--against", "agreement", "--max-loss", "auto", "--json")
    second = folder.manifest(trained).certificate
    assert second is not None
    assert (first.attempt, second.attempt, second.delta, second.max_loss) == (1, 2, 0.025, 0.02)
    assert (
        "; attempt 2 on these rows: the deltas of all attempts add up to 7.5 %)"
        in msgspec.json.decode(done.stdout)["promise"]
    )
    attempts = attempts_file.load(trained).attempts
    assert [one.delta for one in attempts] == [0.05, 0.025]
    assert all(one.at for one in attempts)


def test_the_same_promise_again_is_the_same_attempt(trained: Path) -> None:
    """It gives the same thresholds, and spends nothing anew."""
    first = _certified(trained, "--max-loss", "0.03")
    thresholds, attempts = _thresholds(trained), attempts_file.load(trained)
    again = _certified(trained, "--max-loss", "0.03")
    assert (again.attempt, again.delta, again.losses) == (1, 0.05, first.losses)
    assert (_thresholds(trained), attempts_file.load(trained)) == (thresholds, attempts)


def _thresholds(trained: Path) -> list[float | None]:
    return [level.threshold for level in folder.manifest(trained).levels]


@pytest.mark.parametrize("name", ["labelled.npz", "unlabelled.npz", "unlabelled.npy", "unlabelled.csv"])
def test_fresh_rows_of_every_format_carry_an_agreement(trained: Path, files: Path, name: str) -> None:
    """Labels make no difference to it; the rows start anew although others were used before."""
    _certified(trained)
    done = _certify(trained, "--against", "agreement", "--data", files / name)
    assert done.exception is None, done.exception
    labels = "with labels" if name == "labelled.npz" else "without labels"
    assert f"700 fresh rows {labels}, dropped: none" in done.stderr
    certificate = folder.manifest(trained).certificate
    assert certificate is not None
    assert (certificate.rows, certificate.attempt, certificate.max_loss) == (700, 1, 0.005)
    assert certificate.division == {"thresholds": 700}
    assert certificate.data_digest == digests_of(FRESH.inputs).name
    assert len(attempts_file.load(trained).attempts) == 2


def test_labelled_fresh_rows_carry_any_promise(trained: Path, files: Path) -> None:
    """Abstention and sets stay on the certification rows of the training."""
    path = files / "labelled.npz"
    certificate = _certified(trained, "--data", path, "--abstain-above", "0.6", "--alpha", "0.2")
    assert certificate.division == {"thresholds": 700, "abstention": 150, "sets": 150}
    manifest = folder.manifest(trained)
    assert manifest.abstention is not None
    assert manifest.sets is not None
    assert (manifest.abstention.rows, manifest.sets.rows) == (150, 150)
    assert (certificate.against, certificate.losses <= certificate.max_losses) == ("end-to-end", True)


def test_certification_rows_among_fresh_ones_count_as_used(trained: Path, tmp_path: Path) -> None:
    """They make a further attempt of it; where they carry abstention, they are dropped."""
    _certified(trained)
    own = reload.prepared(folder.manifest(trained)).certification
    np.savez(
        tmp_path / "mixed.npz",
        x=np.concatenate([FRESH.inputs, own.inputs[:9]]),
        y=np.concatenate([FRESH.labels, own.labels[:9]]),
    )
    mixed = _certified(trained, "--data", tmp_path / "mixed.npz")
    assert (mixed.rows, mixed.attempt) == (709, 2)
    apart = _certify(trained, "--data", tmp_path / "mixed.npz", "--abstain-above", "0.6")
    assert apart.exception is None, apart.exception
    assert "700 fresh rows with labels, dropped: 9 seen before" in apart.stderr


def _forget_attempts(trained: Path) -> None:
    """Make a folder like one that was certified before attempts were recorded."""
    (trained / attempts_file.FILE).unlink()
    manifest = folder.manifest(trained)
    assert manifest.certificate is not None
    certificate = msgspec.structs.replace(manifest.certificate, delta_spent=None)
    (trained / "manifest.json").write_bytes(encode(msgspec.structs.replace(manifest, certificate=certificate)))


def test_other_labels_for_the_same_rows_are_another_test(trained: Path, tmp_path: Path) -> None:
    """They decide what is lost, so they are an attempt of their own; an agreement does not see them."""
    np.savez(tmp_path / "first.npz", x=FRESH.inputs, y=FRESH.labels)
    np.savez(tmp_path / "second.npz", x=FRESH.inputs, y=np.where(np.arange(700) < 3, 1, FRESH.labels))
    names = ("first", "second", "first")
    certificates = [_certified(trained, "--data", tmp_path / f"{name}.npz") for name in names]
    assert [one.attempt for one in certificates] == [1, 2, 1]
    assert certificates[0].data_digest == certificates[2].data_digest != certificates[1].data_digest
    agreements = [
        _certified(trained, "--against", "agreement", "--max-loss", "auto", "--data", tmp_path / f"{name}.npz")
        for name in names
    ]
    assert [one.attempt for one in agreements] == [3, 3, 3]


def test_a_certificate_from_before_attempts_were_recorded_counts_as_the_first(trained: Path) -> None:
    """A folder without the file has been certified once, on all certification rows."""
    _certified(trained)
    _forget_attempts(trained)
    certificate = _certified(trained, "--max-loss", "0.03")
    assert (certificate.attempt, certificate.delta) == (2, 0.025)
    assert certificate.delta_spent == pytest.approx(0.075)
    assert len(attempts_file.load(trained).attempts) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--max-loss", "0.001"),
            "max_loss (--max-loss, or that of the training) is a limit that the certification rows can carry, or auto",
        ),
        (("--max-loss", "0.9", "--delta", "1e-300"), "there are enough certification rows for a promise"),
        (("--against", "labels", "--max-loss", "auto"), "a promise against labels states its max_loss"),
        (("--data", "{files}/unlabelled.npz"), "rows without labels carry a promise of agreement"),
        (("--data", "{files}/unlabelled.npy", "--against", "labels", "--max-loss", "0.2"), "rows without labels"),
        (("--data", "{files}/unlabelled.csv", "--max-loss", "0.05"), "rows without labels carry"),
        (("--data", "{files}/labelled.npz", "--max-loss", "0.001"), "700 certification rows carry 0.5 %"),
        (
            (
                "--data",
                "{files}/nowhere.npz",
            ),
            "--data is a file that numpy.savez wrote",
        ),
        (
            (
                "--data",
                "{files}",
            ),
            "--data is a .npz, .npy or .csv",
        ),
    ],
)
@pytest.mark.parametrize("legacy", [False, True], ids=["recorded", "before attempts were"])
def test_what_is_rejected_leaves_the_folder_as_it_is(
    certified: Path, tmp_path: Path, files: Path, arguments: tuple[str, ...], message: str, *, legacy: bool
) -> None:
    """Every byte of it, attempts included: nothing was tested."""
    trained = copied(certified, tmp_path)
    if legacy:
        _forget_attempts(trained)
    before = _contents(trained)
    done = _certify(trained, *(argument.format(files=files) for argument in arguments))
    assert isinstance(done.exception, Rejected)
    assert message in str(done.exception)
    assert _contents(trained) == before


def test_a_promise_against_labels_needs_a_limit(trained: Path) -> None:
    """The smallest that the rows carry is below what even the last level keeps, so `auto` is refused."""
    before = _contents(trained)
    done = _certify(trained, "--against", "labels")
    assert isinstance(done.exception, BadInput)
    assert "a promise against labels states its max_loss, which is above the error" in str(done.exception)
    assert _contents(trained) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--max-loss-per-label", "0.01"), "max_loss_per_label is for a label with at least 299 certification rows"),
        (
            ("--against", "labels", "--max-loss", "0.5", "--max-loss-per-label", "auto"),
            "a promise against labels states its max_loss_per_label, which is above the error of the last level",
        ),
    ],
)
def test_a_promise_for_each_label_that_cannot_be_made_is_refused(
    trained: Path, arguments: tuple[str, ...], message: str
) -> None:
    """No row is looked at."""
    before = _contents(trained)
    done = _certify(trained, *arguments)
    assert isinstance(done.exception, BadInput)
    assert message in str(done.exception)
    assert _contents(trained) == before


def test_a_folder_without_enough_rows_gets_no_attempts(trained: Path, tmp_path: Path) -> None:
    """50 fresh rows are too few for 5 %, and are not looked at."""
    np.savez(tmp_path / "few.npz", x=FRESH.inputs[:50], y=FRESH.labels[:50])
    before = _contents(trained)
    done = _certify(trained, "--data", tmp_path / "few.npz")
    assert isinstance(done.exception, BadInput)
    assert "a promise of 5 % at delta 5 % takes at least 59 certification rows, and there are 50" in str(done.exception)
    assert _contents(trained) == before


def test_a_promise_that_fails_changes_attempts_alone(trained: Path) -> None:
    """The rows were tested, so it counts; the model stays as it is."""
    _certified(trained)
    before = _contents(trained)
    done = _certify(trained, "--against", "labels", "--max-loss", "0.02")
    assert isinstance(done.exception, Uncertified)
    after = _contents(trained)
    assert before.pop(attempts_file.FILE) != after.pop(attempts_file.FILE)
    assert after == before
    assert [one.delta for one in attempts_file.load(trained).attempts] == [0.05, 0.025]


@pytest.mark.parametrize("content", [b"{", b"{}", None], ids=["damaged", "emptied", "removed"])
def test_lost_attempts_are_refused(certified: Path, tmp_path: Path, content: bytes | None) -> None:
    """Nobody knows what was spent, so nothing is certified; the error names the file."""
    trained = copied(certified, tmp_path)
    (trained / attempts_file.FILE).unlink()
    if content is not None:
        (trained / attempts_file.FILE).write_bytes(content)
    before = _contents(trained)
    done = _certify(trained)
    assert isinstance(done.exception, BadInput)
    assert f"{trained / attempts_file.FILE} is what certification wrote" in str(done.exception)
    assert _contents(trained) == before


@pytest.mark.parametrize(
    "changed",
    [
        lambda order: order[1:],
        lambda order: [values[1:] for values in order],
        lambda order: [[None, *values] for values in order],
        lambda order: [order[0], [7.0, *order[1][1:]], *order[2:]],
        lambda order: [order[0], [-0.5, *order[1][1:]], *order[2:]],
    ],
    ids=["no escalating", "a level less", "a level more", "above 1", "below 0"],
)
def test_an_order_that_no_certification_makes_is_refused(trained: Path, changed: Callable[[Any], Any]) -> None:
    """The same test walks the recorded order again, which must not let rows exit before anything was tested."""
    _certified(trained, "--max-loss", "0.05")
    recorded = msgspec.json.decode((trained / attempts_file.FILE).read_bytes())
    recorded["attempts"][0]["order"] = changed(recorded["attempts"][0]["order"])
    (trained / attempts_file.FILE).write_bytes(msgspec.json.encode(recorded))
    before = _contents(trained)
    done = _certify(trained, "--max-loss", "0.05")
    assert isinstance(done.exception, BadInput)
    assert "attempts.json is what certification wrote" in str(done.exception)
    assert _contents(trained) == before


def test_what_a_killed_certification_left_goes(trained: Path) -> None:
    """Its lock is no unfinished training."""
    (trained / folder.WORK).mkdir()
    (trained / folder.WORK / "lock").touch()
    _certified(trained, "--max-loss", "0.05")
    assert not (trained / folder.WORK).exists()


def test_a_limit_of_the_training_that_its_rows_cannot_carry_is_named(trained: Path) -> None:
    """A task may ask for it, and training replaces it; the command does not promise less than it was told."""
    manifest: Manifest = folder.manifest(trained)
    configuration = {**manifest.provenance.configuration, "promise": msgspec.to_builtins(Promise(max_loss=0.005))}
    provenance = msgspec.structs.replace(manifest.provenance, configuration=configuration)
    (trained / "manifest.json").write_bytes(encode(msgspec.structs.replace(manifest, provenance=provenance)))
    done = _certify(trained, "--alpha", "0.1")
    assert isinstance(done.exception, BadInput)
    assert "carry 2 % at delta 5 %; 0.5 % takes at least 598" in str(done.exception)
    assert _certified(trained, "--alpha", "0.1", "--max-loss", "auto").max_loss == 0.02
