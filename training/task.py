"""A task: the data, the networks, and how they are trained. One TOML file each."""

import difflib
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from training.toml_lines import line_of, path_of
from weir.catalog import keys
from weir.catalog.inputs import MAX_TEXT_BYTES
from weir.catalog.promises import Against
from weir.errors import BadInput

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{1,64}$")]
Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Between = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Channel = Annotated[int, msgspec.Meta(ge=0, le=255)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=1)]
Decay = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Decays = Literal["everything", "kernels"]
BestBy = Literal["loss", "accuracy"]
ClassWeights = Literal["auto", "balanced", "none"]


EXPERTS = "experts"
"""name of the level of experts"""
AUTO: Literal["auto"] = "auto"
"""a limit that is chosen by the number of certification rows"""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file, in which unknown keys are refused."""


Kind = Literal["number", "category", "date", "text", "picture"]
"""of a column"""


class PictureKeys(Value, frozen=True, kw_only=True):
    """How picture files become rows."""

    size: tuple[Count, Count] = (32, 32)
    """height and width in pixels, to which every picture is stretched"""
    channels: Literal[1, 3] | None = None
    """1 for grey, 3 for colour; None: colour, unless the first pictures are all grey"""
    background: tuple[Channel, Channel, Channel] = (255, 255, 255)
    """red, green and blue of what lies behind transparent pixels"""


class TextKeys(Value, frozen=True, kw_only=True):
    """How texts become rows."""

    most_bytes: Annotated[int, msgspec.Meta(ge=1, le=MAX_TEXT_BYTES)] | None = None
    """UTF-8 bytes of a text that networks read; None: as many as 99 of 100 texts have, within 32 and 1024"""


class CsvKeys(Value, frozen=True, kw_only=True):
    """The dialect of .csv files; what is absent is sniffed."""

    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] | None = None
    encoding: str | None = None
    """a name that Python knows"""
    decimal: Literal[".", ","] | None = None


class Data(Value, frozen=True, kw_only=True):
    """Where the rows come from: a source by name, or files."""

    source: str = ""
    """name of a source in `training.data.sources`; none: the files of `path`"""
    path: str = ""
    """a file, a folder of pictures, or several files by a pattern such as `data/*.csv`; also `s3://bucket/key`"""
    target: str = ""
    """column of the labels"""
    group: str = ""
    """column whose rows of one value stay in one split, such as a patient's"""
    time: str = ""
    """column by which training rows are the earliest, and test rows the latest"""
    ignore: tuple[str, ...] = ()
    """columns that networks do not read"""
    columns: dict[str, Kind] = {}
    """column -> its kind; that of others is guessed by `training.data.columns.kinds`"""
    picture: PictureKeys = PictureKeys()
    text: TextKeys = TextKeys()
    csv: CsvKeys = CsvKeys()
    memory_mb: Count = 512
    """MiB of rows that are held in memory; more are kept in a temporary file"""


class Sizes(Value, frozen=True, kw_only=True):
    """Rows of each split; training gets what is left. What is absent follows from `training.data.splits.sizes`.

    `test` is 0 when the data have a test set of their own.
    """

    validation: Count | None = None
    certification: Count | None = None
    test: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Promise(Value, frozen=True, kw_only=True):
    """How much accuracy the cascade may lose, and with which confidence."""

    max_loss: Between | Literal["auto"] = AUTO
    """epsilon: share of rows that may be lost; `auto`: the smallest that the certification rows can carry"""
    max_loss_per_label: Between | Literal["auto"] | None = None
    """share of the rows of each label that may be lost; `auto`: the smallest that the labels' certification rows can
    carry, but not below max_loss; None: labels have no promise of their own"""
    delta: Between = 0.05
    """chance that the promise does not hold"""
    against: Against = "end-to-end"
    """what a lost row is: the cascade is wrong and the end-to-end model right (`end-to-end`), the cascade is wrong
    (`labels`), or its label is not the last level's (`agreement`)"""
    abstain_above: Between | None = None
    """highest share of wrong labels among those given; rows that would break it get none"""
    alphas: tuple[Between, ...] = ()
    """shares of prediction sets that may miss the label"""


class SettledPromise(Promise, frozen=True, kw_only=True):
    """A promise with the limit and the delta that the certification rows at hand can carry."""

    max_loss: Between


class NetworkSpec(Value, frozen=True, kw_only=True):
    """One network and its training; what is None is as the recipe of its architecture has it."""

    name: Name
    architecture: str | dict[str, str]
    """its name; for a model of several inputs, that of a branch for each input that the network reads"""
    epochs: Count | None = None
    batch_size: Count | None = None
    learning_rate: Rate | None = None
    """at its highest; it falls to nothing along a cosine"""
    patience: Count | None = None
    """epochs without a better validation loss after which training stops"""
    shift: Annotated[int, msgspec.Meta(ge=0)] = 0
    """pixels by which training pictures are moved at random"""
    flip: bool = False
    """mirror training pictures left to right at random"""
    erase: Annotated[int, msgspec.Meta(ge=0)] = 0
    """side of the square that is erased from every other training picture, at random"""
    weight_decay: Decay | None = None
    """decoupled weight decay of AdamW, per unit of learning rate"""
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0
    """added to the task's seed: networks that differ in nothing else are trained from other random weights"""
    columns: tuple[str, ...] = ()
    """columns of a table that the network reads; none: all"""
    scale: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    """share by which training pictures are enlarged or reduced at random"""
    colour: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    """share by which brightness, contrast and saturation of training pictures are changed at random"""


class SettledNetwork(NetworkSpec, frozen=True, kw_only=True):
    """A network whose training leaves nothing open: the task's values, and for the others those of its recipe.

    `training.modalities.recipe.Recipe` says what the settings mean; the defaults are those of the first architectures.
    """

    epochs: Count
    batch_size: Count = 32
    learning_rate: Rate = 0.002
    patience: Count | None = 10
    weight_decay: Decay = 0.0
    warm_up: Share = 0.0
    beta_2: Between = 0.999
    label_smoothing: Share = 0.0
    average: Between | None = None
    decays: Decays = "everything"
    best_by: BestBy = "loss"
    steps_per_execution: Count = 1
    balanced: bool = False
    """weigh the training rows so that every label counts alike"""

    @property
    def identity(self) -> dict[str, object]:
        """What the training depends on, for digests: in the form of earlier versions where no later setting is used."""
        values = msgspec.structs.asdict(self)
        defaults = {field.name: field.default for field in msgspec.structs.fields(self)}
        later = {key: value for key, value in values.items() if key not in _FIRST and value != defaults[key]}
        return {key: values[key] for key in _FIRST} | later


_FIRST = (
    *("name", "architecture", "epochs", "batch_size", "learning_rate", "patience", "shift", "flip", "erase"),
    *("weight_decay", "seed"),
)
"""the settings that the first versions had, in the order in which their digests have them"""


class Optimise(Value, frozen=True, kw_only=True):
    """Changes that are tried to improve levels; each is measured on validation rows, and kept only if it helps."""

    distil: bool = True
    """distil the strongest network into cheap levels"""
    distil_epochs: Count | None = None
    """of a distillation; None: three times those of the level itself"""
    boosting: bool = True
    """distil gradient boosting into the end-to-end model of a table"""
    escalated: bool = True
    """train later levels with more weight on the rows that earlier ones escalate"""
    pool: bool = True
    """pool a level with those before it, with learned weights"""
    joint_epochs: Annotated[int, msgspec.Meta(ge=0)] = 2
    """epochs in which all levels are fine-tuned on the overall loss of the fused posterior; 0: none"""


class Groups(Value, frozen=True, kw_only=True):
    """A hierarchy: groups of labels, and the training of their experts."""

    generalist: str
    """the network that experts are initialised from; without a router, its summed probabilities choose the group"""
    named: dict[str, tuple[str, ...]] = {}
    """group -> its labels; none: the groups of nested folders, or else those found from the labels that the generalist
    confuses"""
    count: Annotated[int, msgspec.Meta(ge=2)] | None = None
    """number of groups to find, whatever the folders; none: by the eigengap"""
    epochs: Count = 10
    """of an expert's training"""
    learning_rate: Rate = 0.0005
    """of an expert's training, at the start"""
    router: NetworkSpec | None = None
    """a network of its own that chooses the group"""


class SettledGroups(Groups, frozen=True, kw_only=True):
    """A hierarchy whose router leaves nothing open."""

    router: SettledNetwork | None = None


class Task(Value, frozen=True, kw_only=True):
    """One training, from data to a certified cascade."""

    name: Name
    data: Data
    sizes: Sizes = Sizes()
    end_to_end: NetworkSpec
    """the network that is meant to be the end-to-end model; a stronger one of the levels takes its place"""
    levels: tuple[NetworkSpec, ...] = ()
    """the networks before the end-to-end model"""
    hierarchy: Groups | None = None
    """groups and their experts, which follow their generalist or router"""
    optimise: Optimise = Optimise()
    """changes that are tried to improve levels"""
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    promise: Promise = Promise()
    """what the thresholds promise"""
    quantization_tolerance: Share = 0.005
    """validation accuracy that a quantized network may lose against the float one"""
    class_weights: ClassWeights = "auto"
    """`balanced`: every label counts alike in training, however many rows it has; `auto`: where the labels are uneven
    and the recipe of the architecture asks for it"""

    @property
    def networks(self) -> tuple[NetworkSpec, ...]:
        """Every network that knows all labels, the end-to-end network last."""
        return (*self.levels, self.end_to_end)


class SettledTask(Task, frozen=True, kw_only=True):
    """A task whose networks leave nothing open."""

    end_to_end: SettledNetwork
    levels: tuple[SettledNetwork, ...] = ()
    hierarchy: SettledGroups | None = None

    @property
    def networks(self) -> tuple[SettledNetwork, ...]:
        """Every network that knows all labels, the end-to-end network last."""
        return (*self.levels, self.end_to_end)


def builtin() -> tuple[str, ...]:
    """Return the names of the tasks that come with Weir."""
    files = resources.files("training.tasks").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load(name_or_path: str, *, seed: int | None = None) -> Task:
    """Read a built-in task or a task file; `seed` replaces the task's own.

    Raises:
        BadInput: no such task, or the file breaks a rule.
    """
    task = decode(_read(name_or_path))
    return task if seed is None else msgspec.structs.replace(task, seed=seed)


def decode(text: bytes) -> Task:
    """Read a task's TOML. Raises `BadInput`."""
    try:
        task = msgspec.toml.decode(text, type=Task)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadInput("a task file is TOML with the keys of docs/tasks.md", _placed(str(exc), text)) from exc
    check_data(task.data)
    keys.model_name(task.name)
    names = [network.name for network in task.networks]
    if task.hierarchy and task.hierarchy.router:
        names.append(task.hierarchy.router.name)
    if len(set(names)) != len(names):
        raise BadInput("networks of a task have different names", ", ".join(names))
    if not task.levels and not task.hierarchy:
        raise BadInput("a task has levels before the end-to-end model, or a hierarchy", "neither")
    if task.hierarchy:
        _check(task.hierarchy, task)
    check_promise(task.promise)
    return task


def check_promise(promise: Promise) -> None:
    """Refuse a promise against labels whose limits are not stated. Raises `BadInput`."""
    if promise.against == "labels" and promise.max_loss == AUTO:
        rule = "a promise against labels states its max_loss, which is above the error of the last level"
        raise BadInput(rule, f'max_loss = "{AUTO}"')
    if promise.against == "labels" and promise.max_loss_per_label == AUTO:
        rule = (
            "a promise against labels states its max_loss_per_label, which is above the error of the last level on the "
            "rows of every label"
        )
        raise BadInput(rule, f'max_loss_per_label = "{AUTO}"')


def check_data(data: Data) -> None:
    """Refuse keys of the data that contradict each other. Raises `BadInput`."""
    if not data.source and not data.path:
        raise BadInput("data.path names files, or data.source a source", "neither")
    if data.group and data.time:
        raise BadInput("rows are split by data.group or by data.time", f"group {data.group}, time {data.time}")
    if data.source and (named := [name for name in ("target", "group", "time") if getattr(data, name)]):
        raise BadInput(f"data.{named[0]} is for files of data.path without a data.source", data.source)
    if (twice := [name for name in data.ignore if name in data.columns]) or data.target in data.ignore:
        raise BadInput("data.ignore lists neither the target nor a column with a kind", (twice or [data.target])[0])


def _placed(message: str, text: bytes) -> str:
    """Say on which line of the file an error of msgspec is, and which key an unknown one may stand for."""
    path = path_of(message)
    if unknown := re.match(r"Object contains unknown field `(.*?)`", message):
        key = unknown.group(1)
        path, near = (*path, key), difflib.get_close_matches(key, _known_keys(path), 1)
        message = f"unknown key {'.'.join(str(part) for part in path)}"
        message += f"; did you mean {near[0]}?" if near else ""
    elif (given := _value(text, path)) is not None:
        message += f": {given!r}"
    line = line_of(text.decode(errors="replace"), path) if path else None
    return f"line {line}: {message}" if line else message


def _value(text: bytes, path: tuple[str | int, ...]) -> str | float | None:
    """Find the value at a path, if it is one that an error can show."""
    value: Any = tomllib.loads(text.decode(errors="replace")) if path else None
    for part in path:
        value = value[part]
    return value if isinstance(value, str | int | float) else None


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    """List the keys of the table at a path."""
    table: msgspec.inspect.Type = msgspec.inspect.type_info(Task)
    for part in path:
        found = [one for one in _variants(table) if isinstance(one, msgspec.inspect.StructType)]
        inner = [field.type for one in found for field in one.fields if field.name == part]
        table = inner[0] if inner else table
    return [
        field.name for one in _variants(table) if isinstance(one, msgspec.inspect.StructType) for field in one.fields
    ]


def _variants(one: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    """List what a type may be: the parts of a union, and the entries of an array."""
    if isinstance(one, msgspec.inspect.UnionType):
        return [inner for part in one.types for inner in _variants(part)]
    return _variants(one.item_type) if isinstance(one, msgspec.inspect.VarTupleType) else [one]


def _check(groups: Groups, task: Task) -> None:
    known = [network.name for network in task.networks]
    if groups.generalist not in known:
        raise BadInput(f"the generalist of a hierarchy is one of {', '.join(known)}", groups.generalist)
    if EXPERTS in (*known, groups.router.name if groups.router else ""):
        raise BadInput("a network has another name than the level of experts", EXPERTS)
    if groups.named and groups.count:
        raise BadInput(
            "groups are named, or found in a given number", f"{len(groups.named)} named, count {groups.count}"
        )
    ends_with_experts = groups.generalist == task.end_to_end.name and not groups.router
    if ends_with_experts and task.promise.against == "end-to-end":
        rule = (
            "a promise against the end-to-end model needs it as the last level; with experts after it, use labels or "
            "agreement"
        )
        raise BadInput(rule, 'promise.against = "end-to-end"')


def _read(name_or_path: str) -> bytes:
    if name_or_path in builtin():
        return (resources.files("training.tasks") / f"{name_or_path}.toml").read_bytes()
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise BadInput(f"TASK is one of {', '.join(builtin())}, or the path of a .toml", name_or_path)
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadInput("a task file can be read", exc) from exc
