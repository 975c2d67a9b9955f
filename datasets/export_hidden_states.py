#!/usr/bin/env python3
"""Write the hidden states of a frozen transformer into a token store, one HDF5 file.

    python export_hidden_states.py states.h5 --model MODEL --jsonl train=train.jsonl validation=valid.jsonl
    python export_hidden_states.py stress.h5 --model MODEL --stress train=train.jsonl validation=valid.jsonl

MODEL is a Hugging Face name or a local folder (HF_HUB_OFFLINE=1 keeps it off the network). Input is JSON
lines, CSV or TSV, plain or .gz, one SPLIT=FILE per split; --stress reads what `tarn generate stress` writes.
Sets are stored one after another without padding. A killed export goes on with the same command and --resume.
Exit status: 0 done, 1 the export failed, 2 wrong usage, 130 interrupted.
"""

import argparse
import json
import os
import sys
import time

try:
    import numpy as np

    from hidden_state_encoder import Encoder
    from text_sources import ExportError, UsageError, parse_sources, read_source, settle_labels
    from token_store_writer import STORED, TokenStoreWriter, to_stored
except ImportError as error:
    sys.exit(f"{error}; expected the packages of datasets/requirements.txt")

EXPORTER = "export_hidden_states.py 1.0"
WINDOW_BYTES = 1 << 30  # states held in memory before they are written


class Progress:
    """Texts done, rate and time left: one line that is redrawn on a terminal, plain lines elsewhere."""

    def __init__(self, total, quiet):
        self.total, self.quiet, self.done, self.skipped = total, quiet, 0, 0
        self.start = self.shown = time.monotonic()

    def skip(self, texts):
        self.done += texts
        self.skipped += texts

    def advance(self, texts):
        self.done += texts
        now = time.monotonic()
        terminal = sys.stderr.isatty()
        last = self.done == self.total
        if self.quiet or texts == 0 or not last and now - self.shown < (0.2 if terminal else 10):
            return
        self.shown = now
        rate = (self.done - self.skipped) / max(now - self.start, 1e-9)
        left = time.strftime("%H:%M:%S", time.gmtime((self.total - self.done) / rate))
        line = f"{self.done}/{self.total} texts, {rate:.0f} texts/s, {left} left"
        if terminal:
            filled = 30 * self.done // self.total
            line = f"\r[{'#' * filled}{'.' * (30 - filled)}] {line}\033[K"
        print(line, end="" if terminal and not last else "\n", file=sys.stderr, flush=True)


def check_size(sources, encoder, options):
    """Print the store's estimated size, from a sample of the texts; stop above --max-gib unless --yes."""
    tokens = 0
    for source in sources:
        sample = source.rows[::max(1, len(source.rows) // 512)]
        for column in zip(*(row.texts for row in sample)):
            found = sum(map(len, encoder.encode(column, [()] * len(column))))
            tokens += found * len(source.rows) // len(sample)
    gib = tokens * len(encoder.layers) * encoder.hidden_size * STORED[options.dtype].itemsize / 2**30
    if not options.quiet:
        print(f"{options.output}: about {tokens} tokens, {len(encoder.layers)} x {encoder.hidden_size} "
              f"{options.dtype} each: {gib:.2f} GiB", file=sys.stderr)
    if gib > options.max_gib and not options.yes:
        raise UsageError(f"--max-gib: the store takes about {gib:.2f} GiB; expected at most "
                         f"{options.max_gib:g} (--yes goes on, fewer --layers or --dtype f16 take less)")


def root_attributes(encoder, labels, num_texts, options):
    """Everything that holds for the whole store and must not change when it is resumed, but for `created`."""
    unrecorded = {"output", "resume", "yes", "max_gib", "quiet", "jsonl", "csv", "tsv", "stress"}
    config = {name: value for name, value in vars(options).items() if name not in unrecorded}
    attributes = {
        "format": "tarn-token-store", "version": np.int32(1), "minor": np.int32(0), "model": options.model,
        "revision": encoder.revision, "exporter": EXPORTER, "hidden_size": np.int64(encoder.hidden_size),
        "num_layers": np.int64(len(encoder.layers)), "layers": np.array(encoder.layers, np.int64),
        "dtype": options.dtype, "causal": np.int8(encoder.causal), "max_length": np.int64(options.max_length),
        "special_tokens": np.int8(encoder.adds_special_tokens), "prefix": options.prefix,
        "task": options.task or ("stress" if options.stress else ""), "label_type": labels.type,
        "num_classes": np.int64(labels.num_classes), "num_texts": np.int64(num_texts),
        "config": json.dumps(config, sort_keys=True)}
    if labels.names:
        attributes["class_names"] = labels.names
    return attributes


def next_window(encoder, rows, options):
    """Tokenise the next rows, as many as fill WINDOW_BYTES; a column of encoded texts for each text."""
    rows = rows[:options.window]
    needles = [row.needle for row in rows]
    columns = [encoder.encode(texts, needles) for texts in zip(*(row.texts for row in rows))]
    token_bytes = len(encoder.layers) * encoder.hidden_size * STORED[options.dtype].itemsize
    total = count = 0
    for texts in zip(*columns):
        total += sum(map(len, texts)) * token_bytes
        if count > 0 and total > WINDOW_BYTES:
            break
        count += 1
    return [column[:count] for column in columns]


def batches(lengths, batch_tokens):
    """Yield lists of positions, longest texts first: rows * longest <= batch_tokens, or a single row."""
    order = sorted((i for i in range(len(lengths)) if lengths[i] > 0), key=lambda i: -lengths[i])
    while order:
        count = max(1, batch_tokens // lengths[order[0]])
        yield order[:count]
        order = order[count:]


def column_states(encoder, rows, column, options, progress, keep):
    """States [T, S, D] of a column as stored, in source order; also float32 states of the rows in `keep`."""
    ends = np.cumsum([0] + [len(text) for text in column])
    stored = np.empty((ends[-1], len(encoder.layers), encoder.hidden_size), STORED[options.dtype])
    kept = {}
    for batch in batches([len(text) for text in column], options.batch_tokens):
        states = encoder.run([column[i] for i in batch])
        for i, padded in zip(batch, states):
            exact = padded[:len(column[i])]
            stored[ends[i]:ends[i + 1]] = to_stored(exact, options.dtype, rows[i].where)
            if i in keep:
                kept[i] = exact.copy()
        progress.advance(len(batch))
    progress.advance(sum(len(text) == 0 for text in column))
    return stored, kept


def export_split(writer, source, encoder, options, progress):
    """Write the rows that are missing, then read three of them back and mark the split complete."""
    start = writer.rows
    progress.skip(start * len(source.rows[0].texts))
    if writer.complete:
        return
    writer.cut_back()
    rng = np.random.default_rng(len(source.rows))
    missing = np.arange(start, len(source.rows))
    checked = set(rng.choice(missing, min(3, len(missing)), replace=False).tolist())
    kept = {}  # (row, text) -> float32 states
    while start < len(source.rows):
        columns = next_window(encoder, source.rows[start:], options)
        rows = source.rows[start:start + len(columns[0])]
        states = []
        for text, column in enumerate(columns):
            stored, exact = column_states(encoder, rows, column, options, progress,
                                          {row - start for row in checked})
            states.append(stored)
            kept.update({(start + i, text): values for i, values in exact.items()})
        writer.append(columns, states)
        start += len(rows)
    for (row, text), values in kept.items():
        wanted = to_stored(values, options.dtype, source.rows[row].where)
        if writer.read(row, text).tobytes() != wanted.tobytes():
            raise ExportError(f"{options.output}: {source.split}, row {row} reads back altered; "
                              "expected the same bits (a failing disk?)")
    writer.finish()


def export(options):
    """Run the whole export that the options ask for."""
    sources = parse_sources(options)
    if os.path.exists(options.output) and not options.resume:
        raise UsageError(f"{options.output}: exists already; expected a new file, or --resume")
    for source in sources:
        read_source(source, options)
    labels = settle_labels(sources, options)
    encoder = Encoder(options)
    check_size(sources, encoder, options)
    num_texts = len(sources[0].rows[0].texts)
    attributes = root_attributes(encoder, labels, num_texts, options)
    progress = Progress(num_texts * sum(len(source.rows) for source in sources), options.quiet)
    with TokenStoreWriter(options.output, attributes) as store:
        for source in sources:
            split = store.open_split(source, num_texts, labels, options)
            export_split(split, source, encoder, options, progress)
        store.write_vocabulary(encoder.tokenizer.convert_ids_to_tokens)


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\n")


def at_least(lowest, kind):
    def parse(text):
        value = kind(text)
        if not value >= lowest:
            raise ValueError
        return value
    parse.__name__ = f"number from {lowest}"
    return parse


def parse_options(arguments):
    summary, _, examples = __doc__.partition("\n")
    parser = Parser(description=summary, epilog=examples,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="the store to write, .h5")
    for kind, what in (("jsonl", "JSON lines"), ("csv", "CSV with a header"), ("tsv", "TSV with a header"),
                       ("stress", "stress texts")):
        parser.add_argument(f"--{kind}", metavar="SPLIT=FILE", nargs="+", action="extend", default=[],
                            help=what)
    parser.add_argument("--text-key", default="text", help="field of the text (%(default)s)")
    parser.add_argument("--text-pair-key", nargs="+", default=[], metavar="KEY",
                        help="field of the second text, and of more; stored as b, c, ...")
    parser.add_argument("--label-key", help="field of the label (label, where there is one)")
    parser.add_argument("--label-type", choices=["auto", "class", "real", "none"], default="auto",
                        help="auto: class for whole numbers and words, real for other numbers")
    parser.add_argument("--task", default="", help="a name for the record")
    parser.add_argument("--model", required=True, help="Hugging Face name or local folder")
    parser.add_argument("--revision", help="commit, tag or branch of the model")
    parser.add_argument("--trust-remote-code", action="store_true", help="run code that comes with the model")
    parser.add_argument("--layers", default="last",
                        help="last, all or a list such as 0,6,-1; 0: embeddings (%(default)s)")
    parser.add_argument("--dtype", choices=list(STORED), default="f16", help="stored type (%(default)s)")
    parser.add_argument("--compute-dtype", choices=["auto", *STORED], default="auto",
                        help="auto: f32 on the CPU, the model's own on an accelerator")
    parser.add_argument("--max-length", type=at_least(1, int), default=128, metavar="N",
                        help="tokens kept of a text, special ones included (%(default)s)")
    parser.add_argument("--prefix", default="", help="put before every text")
    parser.add_argument("--batch-tokens", type=at_least(1, int), default=8192, metavar="N",
                        help="tokens in a batch, padding included (%(default)s)")
    parser.add_argument("--window", type=at_least(1, int), default=4096, metavar="N",
                        help="texts sorted by length and written together (%(default)s)")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, mps, ... (cuda where there is one)")
    parser.add_argument("--max-gib", type=at_least(0, float), default=20, metavar="GIB",
                        help="largest store written without --yes (%(default)s)")
    parser.add_argument("--yes", action="store_true", help="write a store above --max-gib")
    parser.add_argument("--resume", action="store_true", help="go on with a store that was interrupted")
    parser.add_argument("--no-text", action="store_true", help="leave the texts themselves out")
    parser.add_argument("--compress", action="store_true",
                        help="shuffle and deflate the states (saves about 10 %%)")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_options(arguments)
    try:
        export(options)
    except ExportError as error:
        print(error, file=sys.stderr)
        return error.status
    except OSError as error:
        print(f"{options.output}: {error}; expected a file that can be written", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{options.output}: interrupted; the same command with --resume goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
