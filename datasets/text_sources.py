"""Read the rows of text and the labels that the exporter of hidden states turns into a token store.

`parse_sources`, `read_source` for each, then `settle_labels` over all of them.
"""

import csv
import gzip
import hashlib
import io
import json
import math
import os
import re
from dataclasses import dataclass, field


class ExportError(Exception):
    """The export failed: bad data, a bad file, an unfit model. The message is `where: given; expected`."""

    status = 1


class UsageError(ExportError):
    """An option is wrong."""

    status = 2


@dataclass
class Row:
    """One line of the source: its texts, its label (None: unlabelled) and the needle's word positions."""

    where: str
    id: int
    texts: list
    label: object = None
    needle: frozenset = frozenset()


@dataclass
class Source:
    """One split's file, read whole."""

    split: str
    kind: str
    path: str
    rows: list = field(default_factory=list)
    sha256: str = ""

    def record(self):
        """What must not change between an export and its resumption."""
        return json.dumps({"file": os.path.basename(self.path), "kind": self.kind, "rows": len(self.rows),
                           "sha256": self.sha256})


def parse_sources(options):
    """Return an unread Source for every SPLIT=FILE."""
    sources = []
    for kind in ("jsonl", "csv", "tsv", "stress"):
        for argument in getattr(options, kind):
            split, equals, path = argument.partition("=")
            if not equals or not path or not re.fullmatch(r"[A-Za-z0-9_.-]+", split) or split == "vocabulary":
                raise UsageError(f"--{kind}: got '{argument}'; expected SPLIT=FILE, as in train=train.{kind}")
            if any(split == source.split for source in sources):
                raise UsageError(f"--{kind}: split '{split}' is given twice; expected one file per split")
            sources.append(Source(split, kind, path))
    if not sources:
        raise UsageError("input: none given; expected --jsonl, --csv, --tsv or --stress with SPLIT=FILE")
    if options.stress and options.text_pair_key:
        raise UsageError("--text-pair-key: given with --stress; expected none, stress texts have no pairs")
    return sources


def read_source(source, options):
    """Fill in the rows of a source and the checksum of its file."""
    text_keys = [options.text_key] + options.text_pair_key
    label_key = options.label_key or "label"
    if source.kind == "stress":
        text_keys, label_key = ["text"], "label"
    try:
        with open(source.path, "rb") as file:
            content = file.read()
        source.sha256 = hashlib.sha256(content).hexdigest()
        if source.path.endswith(".gz"):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExportError(f"{source.path}: {reason}; expected a readable file")
    except UnicodeDecodeError as error:
        raise ExportError(f"{source.path}: byte {error.start} is not UTF-8; expected UTF-8 text")
    parse = parse_table if source.kind in ("csv", "tsv") else parse_json_lines
    for line, fields in parse(source, text):
        where = f"{source.path}:{line}"
        texts = [check_text(where, fields, key) for key in text_keys]
        row = Row(where, len(source.rows), texts, fields.get(label_key))
        if source.kind == "stress":
            row.id, row.needle = check_stress(where, fields)
        source.rows.append(row)
    if not source.rows:
        raise ExportError(f"{source.path}: has no rows; expected at least one")
    if len({row.id for row in source.rows}) < len(source.rows):
        raise ExportError(f"{source.path}: an index occurs twice; expected every index once in a split")


def parse_json_lines(source, text):
    """Yield (line number, object) of every line that is not blank."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except json.JSONDecodeError as error:
            raise ExportError(f"{source.path}:{number}: not JSON ({error.msg}); expected one object a line")
        if not isinstance(fields, dict):
            raise ExportError(f"{source.path}:{number}: got {line.strip()[:40]}; expected one object a line")
        yield number, fields


def parse_table(source, text):
    """Yield (line number, fields by column) of a CSV or TSV file with a header. TSV knows no quotes."""
    csv.field_size_limit(1 << 30)
    form = {"delimiter": ","} if source.kind == "csv" else {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, **form)
    try:
        for fields in reader:
            if None in fields or None in fields.values():
                found = len(fields) - 1 + len(fields[None]) if None in fields else \
                    sum(value is not None for value in fields.values())
                raise ExportError(f"{source.path}:{reader.line_num}: {found} columns; "
                                  f"expected {len(reader.fieldnames)}, as in the header")
            yield reader.line_num, fields
    except csv.Error as error:
        raise ExportError(f"{source.path}:{reader.reader.line_num}: {error}; expected {source.kind.upper()}")


def check_text(where, fields, key):
    if key not in fields:
        raise ExportError(f"{where}: no field '{key}'; expected one of: {', '.join(map(str, fields))}")
    text = fields[key]
    if not isinstance(text, str):
        raise ExportError(f"{where}: '{key}' is {json.dumps(text)[:40]}; expected a string")
    if "\0" in text or any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise ExportError(f"{where}: '{key}' holds a NUL or half a surrogate pair; expected plain UTF-8 text")
    return text


def check_stress(where, fields):
    """Return index and needle words of a stress text."""
    index, needle, words = fields.get("index"), fields.get("needle"), fields["text"].count(" ") + 1
    if not isinstance(index, int) or index < 0:
        raise ExportError(f"{where}: index is {json.dumps(index)}; expected a number from 0")
    if not isinstance(needle, list) or \
            not all(isinstance(word, int) and 0 <= word < words for word in needle):
        raise ExportError(f"{where}: needle is {json.dumps(needle)}; "
                          f"expected word positions from 0 to {words - 1}")
    return index, frozenset(needle)


# === Labels


@dataclass
class Labels:
    """How the labels of all splits are stored: type `none`, `class` or `real`."""

    type: str
    num_classes: int = 0
    names: list = field(default_factory=list)

    def encode(self, row):
        """The stored label of a row: a class number (-1: unlabelled) or a real (NaN: unlabelled)."""
        if self.type == "real":
            return math.nan if row.label is None else float(row.label)
        if row.label is None:
            return -1
        return self.names.index(row.label) if self.names else int(row.label)


def settle_labels(sources, options):
    """Parse every label in place and return the scheme that fits them all."""
    rows = [row for source in sources for row in source.rows]
    for row in rows:
        row.label = parse_label(row.label)
    labels = [row.label for row in rows if row.label is not None]
    if options.label_key and not labels:
        raise UsageError(f"--label-key: no row has '{options.label_key}'; expected labels under that name")
    kind = options.label_type
    if kind == "auto":
        words = any(isinstance(label, str) for label in labels)
        reals = any(isinstance(label, float) for label in labels)
        kind = "class" if words or labels and not reals else "real" if reals else "none"
    if kind == "real":
        for row in rows:
            if isinstance(row.label, str) or isinstance(row.label, float) and math.isinf(row.label):
                raise ExportError(f"{row.where}: label '{row.label}'; expected a finite number")
        return Labels("real")
    if kind == "none":
        return Labels("none")
    if any(isinstance(label, str) for label in labels):
        for row in rows:
            row.label = None if row.label is None else str(row.label)
        names = sorted({row.label for row in rows if row.label is not None})
        return Labels("class", len(names), names)
    for row in rows:
        if row.label is not None and (not float(row.label).is_integer() or row.label < -1):
            raise ExportError(f"{row.where}: label {row.label}; expected a class number from 0, -1 for none")
    return Labels("class", max((int(label) for label in labels), default=-1) + 1)


def parse_label(value):
    """None for an unlabelled row, an int or a float where the label is a number, else a string."""
    if isinstance(value, str):
        for number in (int, float):
            try:
                value = number(value)
                break
            except ValueError:
                pass
    if value is None or value == "" or isinstance(value, float) and math.isnan(value):
        return None
    return value if isinstance(value, (int, float)) else str(value)
