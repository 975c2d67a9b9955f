"""Write the splits of a token store, format version 1: states of sets one after another, in one HDF5 file.

A crash at any moment leaves a file whose first `rows` rows of each split are whole: a window of rows is
written and flushed before `rows` is raised, metadata reaches the disk in flushes alone, and freed space is
never used again.
"""

import datetime
import itertools
import json
import os

import h5py
import numpy as np

from text_sources import ExportError

LARGEST = {"f16": 65504.0, "bf16": 3.3895313892515355e38, "f32": 3.4028234663852886e38}
STORED = {"f16": np.dtype("<f2"), "bf16": np.dtype("<u2"), "f32": np.dtype("<f4")}
TEXT = h5py.string_dtype("utf-8")


def to_stored(states, dtype, where):
    """Convert float32 states [T, S, D] to the stored type, rounding to nearest even; bf16 comes as uint16."""
    limit = LARGEST[dtype]
    beyond = ~(np.abs(states) <= limit)
    if beyond.any():
        token, layer, channel = (int(index[0]) for index in np.nonzero(beyond))
        value = states[token, layer, channel]
        fix = " (--dtype bf16 has the range)" if dtype == "f16" and np.isfinite(value) else ""
        raise ExportError(f"{where}: state {value:g} at token {token}, stored layer {layer}, "
                          f"channel {channel}; expected finite values up to {limit:g} for {dtype}{fix}")
    if dtype == "bf16":
        bits = np.ascontiguousarray(states).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return states.astype(STORED[dtype])


class TokenStoreWriter:
    """A store open for appending; a context manager."""

    def __init__(self, path, attributes):
        """Create the file, or go on with one whose attributes agree."""
        self.path, self.dtype = path, attributes["dtype"]
        if not os.path.exists(path):
            self._create(attributes)
        try:
            self.file = h5py.File(path, "r+")
        except OSError as error:
            raise ExportError(f"{path}: cannot be opened for writing ({error}); expected a token store")
        keep_metadata_until_flush(self.file)
        self._check(attributes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def _create(self, attributes):
        """Write the root attributes under a temporary name, so that the store appears whole."""
        temporary = self.path + ".part"
        try:
            with h5py.File(temporary, "w", fs_strategy="none") as file:
                now = datetime.datetime.now(datetime.timezone.utc)
                file.attrs["created"] = now.isoformat(timespec="seconds")
                for name, value in attributes.items():
                    file.attrs[name] = np.array(value, TEXT) if name == "class_names" else value
        except OSError as error:
            raise ExportError(f"{self.path}: cannot be created ({error}); expected a writable folder")
        os.replace(temporary, self.path)

    def _check(self, attributes):
        """Refuse to go on with a store that another command began."""
        for name, value in attributes.items():
            found = self.file.attrs.get(name)
            if name == "config" and found is not None:
                check_config(self.path, json.loads(found), json.loads(value))
            elif found is None or not np.array_equal(found, value):
                raise ExportError(f"{self.path}: {name} is {found}; expected {value}, as in this command")

    def open_split(self, source, num_texts, labels, options):
        """Create the split, or cut it back to its whole rows. Returns a SplitWriter."""
        group = self.file.get(source.split)
        if group is not None and "rows" not in group.attrs:  # killed while it was being created
            del self.file[source.split]
            group = None
        if group is None:
            group = self._create_split(source, num_texts, labels, options)
        elif group.attrs["source"] != source.record():
            raise ExportError(f"{source.path}: is {source.record()}; expected {group.attrs['source']}, "
                              f"with which split '{source.split}' of {self.path} was begun")
        return SplitWriter(group)

    def _create_split(self, source, num_texts, labels, options):
        rows, root = len(source.rows), self.file.attrs
        states, width = int(root["num_layers"]), int(root["hidden_size"])
        stored = STORED[self.dtype]
        chunk = min(max((1 << 18) // (width * stored.itemsize), 16), 4096)
        packed = {"shuffle": True, "compression": 1}
        group = self.file.create_group(source.split)
        group.attrs["source"] = source.record()
        group.attrs["complete"] = np.int8(0)
        chunks = (min(rows, 16384),)
        group.create_dataset("ids", data=np.array([row.id for row in source.rows], np.int64), chunks=chunks)
        if labels.type != "none":
            values = np.array([labels.encode(row) for row in source.rows],
                              np.int64 if labels.type == "class" else np.float64)
            group.create_dataset("labels", data=values, chunks=chunks)

        def growing(text, name, shape, dtype, chunks, **filters):
            return text.create_dataset(name, shape, dtype, chunks=chunks, maxshape=(None, *shape[1:]),
                                       **filters)

        for index in range(num_texts):
            text = group.create_group("abcdefghijklmnopqrstuvwxyz"[index])
            hidden = growing(text, "hidden", (0, states, width), stored, (chunk, 1, width),
                             **(packed if options.compress else {}))
            if self.dtype == "bf16":
                hidden.attrs["encoding"] = "bfloat16"
            growing(text, "offsets", (1,), np.int64, (16384,))
            growing(text, "token_ids", (0,), np.int32, (65536,), **packed)
            growing(text, "flags", (0,), np.uint8, (65536,), **packed)
            growing(text, "truncated", (0,), np.uint8, (16384,))
            if not options.no_text:  # whole at once: growing strings do not survive a kill
                strings = [row.texts[index] for row in source.rows]
                text.create_dataset("text", data=strings, dtype=TEXT, chunks=(min(rows, 1024),))
        group.file.flush()
        group.attrs["rows"] = np.int64(0)
        group.file.flush()
        return group

    def write_vocabulary(self, token_of):
        """Name every token id that occurs in the store; `token_of` turns a list of ids into their tokens."""
        found = set()
        for split in self.file.values():
            for text in split.values() if isinstance(split, h5py.Group) else ():
                if isinstance(text, h5py.Group):
                    ids = text["token_ids"]
                    for start in range(0, len(ids), 1 << 20):
                        found.update(np.unique(ids[start:start + (1 << 20)]).tolist())
        ids = sorted(found)
        if "vocabulary" in self.file:
            del self.file["vocabulary"]
        group = self.file.create_group("vocabulary")
        group.create_dataset("ids", data=np.array(ids, np.int32))
        group.create_dataset("tokens", data=[token or "" for token in token_of(ids)], dtype=TEXT)
        self.file.flush()


class SplitWriter:
    """One split, written in windows of rows."""

    def __init__(self, group):
        self.group = group

    @property
    def rows(self):
        return int(self.group.attrs["rows"])

    @property
    def complete(self):
        return bool(self.group.attrs["complete"])

    def cut_back(self):
        """Drop what a killed export wrote beyond `rows`."""
        for text in self._texts():
            text["offsets"].resize(self.rows + 1, axis=0)
            tokens = int(text["offsets"][self.rows])
            text["truncated"].resize(self.rows, axis=0)
            for name in ("hidden", "token_ids", "flags"):
                text[name].resize(tokens, axis=0)

    def append(self, columns, states):
        """Append a window: for each text its encoded rows and their states [T, S, D] as stored."""
        for text, column, hidden in zip(self._texts(), columns, states):
            ends = int(text["offsets"][-1]) + np.cumsum([len(row) for row in column])
            extend(text["hidden"], hidden)
            extend(text["token_ids"], joined([row.inputs["input_ids"] for row in column], np.int32))
            extend(text["flags"], joined([row.flags for row in column], np.uint8))
            extend(text["truncated"], np.array([row.truncated for row in column], np.uint8))
            extend(text["offsets"], ends.astype(np.int64))
        self.group.file.flush()
        self.group.attrs["rows"] = np.int64(self.rows + len(columns[0]))
        self.group.file.flush()

    def read(self, row, text_index):
        """The stored states of one text."""
        text = self._texts()[text_index]
        start, end = text["offsets"][row:row + 2]
        return text["hidden"][start:end]

    def finish(self):
        self.group.attrs["complete"] = np.int8(1)
        self.group.file.flush()

    def _texts(self):
        return [text for text in self.group.values() if isinstance(text, h5py.Group)]


def joined(lists, dtype):
    return np.fromiter(itertools.chain.from_iterable(lists), dtype)


def extend(dataset, values):
    start = len(dataset)
    dataset.resize(start + len(values), axis=0)
    dataset[start:] = values


def check_config(path, found, wanted):
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise ExportError(f"{path}: was begun with {name} {json.dumps(found.get(name))}; "
                              f"expected {json.dumps(wanted.get(name))}, as in this command")


def keep_metadata_until_flush(file):
    """Forbid evictions from the metadata cache, so that metadata on disk changes in flushes alone."""
    config = file.id.get_mdc_config()
    config.evictions_enabled, config.incr_mode, config.decr_mode, config.flash_incr_mode = False, 0, 0, 0
    file.id.set_mdc_config(config)
