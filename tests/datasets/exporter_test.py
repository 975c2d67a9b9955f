"""Tests of datasets/export_hidden_states.py on tiny models with random weights; no network, no pytest.

    python tests/datasets/exporter_test.py
"""

import contextlib
import gzip
import io
import json
import os
import signal
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "datasets"))
os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
try:
    import h5py
    import numpy as np
    import torch
    import transformers
except ImportError as error:
    print(f"exporter tests left out: {error}")
    sys.exit(0)
import export_hidden_states as exporter
import token_store_writer

torch.set_num_threads(1)
WORDS = "the delivery contains keys reports not never indeed a man is playing flute".split()
PIECES = ["##s", "##ing", "##ly", ".", ","]
folder = None  # temporary, holds the models


def setUpModule():
    global folder
    folder = tempfile.TemporaryDirectory()
    transformers.logging.disable_progress_bar()
    save_encoder(models("bert"))
    save_decoder(models("gpt"))


def tearDownModule():
    folder.cleanup()


def models(name):
    return Path(folder.name) / name


def save_encoder(path):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *PIECES, "x"]
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=64, initializer_range=0.2)
    torch.manual_seed(1)
    transformers.BertModel(config).save_pretrained(path)
    (path / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))


def save_decoder(path):
    """A GPT-2 over bytes: no special tokens, so that an empty text has no token at all."""
    import tokenizers
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE({c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(path)
    config = transformers.GPT2Config(vocab_size=len(alphabet), n_embd=32, n_layer=2, n_head=4, n_positions=64,
                                     bos_token_id=0, eos_token_id=0)
    torch.manual_seed(2)
    transformers.GPT2Model(config).save_pretrained(path)


class ExporterTest(unittest.TestCase):
    """Helpers: files to read, an export to run, a store to compare."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.path = Path(scratch.name)
        self.out = self.path / "out.h5"

    def write(self, name, text):
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        return path

    def write_rows(self, name, rows):
        return self.write(name, "".join(json.dumps(row) + "\n" for row in rows))

    def run_exporter(self, *arguments, model="bert", out=None):
        """Exit status and what was printed."""
        output = io.StringIO()
        with contextlib.redirect_stderr(output):
            try:
                status = exporter.main([str(out or self.out), "--model", str(models(model)),
                                        "--max-length", "64", *map(str, arguments)])
            except SystemExit as stop:
                status = stop.code
        return status, output.getvalue()

    def export(self, *arguments, **options):
        status, output = self.run_exporter(*arguments, **options)
        self.assertEqual(status, 0, output)
        return h5py.File(options.get("out") or self.out, "r")

    def assert_fails(self, status, message, *arguments, **options):
        """The export must end with `status` and the single line `message`."""
        got, output = self.run_exporter("--quiet", *arguments, **options)
        self.assertIn(message, output)
        self.assertEqual((got, output.count("\n")), (status, 1), output)

    def assert_same_store(self, left, right):
        def contents(path):
            found = {}

            def visit(name, item):
                found[name] = dict(item.attrs)
                if isinstance(item, h5py.Dataset):
                    found[name] |= {"dtype": item.dtype, "data": item[()].tobytes() if item.dtype != object
                                    else list(item[()])}
            with h5py.File(path, "r") as file:
                file.visititems(visit)
                found["/"] = {name: str(value) for name, value in file.attrs.items() if name != "created"}
            return found
        self.assertEqual(contents(left), contents(right))


def sample_rows(count):
    rng = np.random.default_rng(3)
    return [{"text": " ".join(rng.choice(WORDS + ["mans"], rng.integers(1, 30))), "label": i % 3}
            for i in range(count)]


class Layout(ExporterTest):
    def test_a_store_has_what_the_format_asks_for(self):
        rows = sample_rows(20)
        file = self.export("--jsonl", f"train={self.write_rows('t.jsonl', rows)}")
        root = {name: file.attrs[name] for name in file.attrs}
        expected = dict(format="tarn-token-store", version=1, minor=0, model=str(models("bert")), revision="",
                        hidden_size=32, num_layers=1, dtype="f16", causal=0, max_length=64, special_tokens=1,
                        prefix="", task="", label_type="class", num_classes=3, num_texts=1)
        self.assertEqual({name: root[name] for name in expected}, expected)
        self.assertEqual(root["layers"].tolist(), [2])
        split, text = file["train"], file["train/a"]
        self.assertEqual((split.attrs["rows"], split.attrs["complete"]), (20, 1))
        self.assertEqual(split["labels"][:].tolist(), [row["label"] for row in rows])
        self.assertEqual(split["ids"][:].tolist(), list(range(20)))
        offsets = text["offsets"][:]
        self.assertEqual((len(offsets), offsets[0], offsets[-1]), (21, 0, len(text["hidden"])))
        self.assertEqual(text["hidden"].shape[1:], (1, 32))
        self.assertEqual((text["hidden"].dtype, text["hidden"].maxshape), (np.float16, (None, 1, 32)))
        self.assertEqual(text["hidden"].chunks, (4096, 1, 32))
        self.assertEqual([value.decode() for value in text["text"][:]], [row["text"] for row in rows])
        self.assertEqual(file["vocabulary/ids"][:].tolist(), sorted(set(text["token_ids"][:].tolist())))
        self.assertEqual(file["vocabulary/tokens"][0], b"[CLS]")

    def test_a_text_alone_agrees_with_its_batch(self):
        rows = sample_rows(40)
        together = self.export("--dtype", "f32", "--jsonl", f"t={self.write_rows('t.jsonl', rows)}")
        alone = self.export("--dtype", "f32", "--batch-tokens", "1", "--jsonl", f"t={self.path / 't.jsonl'}",
                            out=self.path / "alone.h5")
        a, b = together["t/a/hidden"][:], alone["t/a/hidden"][:]
        self.assertGreater(np.abs(a).max(), 1)
        self.assertLess(np.abs(a - b).max(), 1e-3 * np.abs(a).max())

    def test_layers_are_those_of_the_model_in_ascending_order(self):
        data = f"t={self.write_rows('t.jsonl', sample_rows(5))}"
        file = self.export("--dtype", "f32", "--layers", "all", "--jsonl", data)
        self.assertEqual(file.attrs["layers"].tolist(), [0, 1, 2])
        some = self.export("--dtype", "f32", "--layers=-1,0", "--jsonl", data, out=self.path / "some.h5")
        self.assertEqual(some.attrs["layers"].tolist(), [0, 2])
        np.testing.assert_array_equal(file["t/a/hidden"][:, [0, 2]], some["t/a/hidden"][:])
        model = transformers.AutoModel.from_pretrained(models("bert")).eval()
        start, end = file["t/a/offsets"][2:4]
        ids = torch.tensor(file["t/a/token_ids"][start:end].astype(np.int64))[None]
        with torch.inference_mode():
            states = model(input_ids=ids, output_hidden_states=True).hidden_states
        wanted = torch.stack(states, 2)[0].numpy()
        np.testing.assert_allclose(file["t/a/hidden"][start:end], wanted, atol=1e-4)

    def test_a_decoder_is_causal_and_an_empty_text_has_no_tokens(self):
        rows = [{"text": "keys"}, {"text": ""}, {"text": "is é"}]
        file = self.export("--jsonl", f"t={self.write_rows('t.jsonl', rows)}", model="gpt")
        self.assertEqual((file.attrs["causal"], file.attrs["special_tokens"]), (1, 0))
        self.assertEqual(file.attrs["label_type"], "none")
        self.assertNotIn("labels", file["t"])
        self.assertEqual(file["t/a/offsets"][:].tolist(), [0, 4, 4, 9])
        self.assertEqual(file["t/a/flags"][:].tolist(), [0, 2, 2, 2, 0, 2, 0, 0, 2])

    def test_flags_mark_special_tokens_pieces_and_cut_texts(self):
        rows = [{"text": "mans playing."}, {"text": "the " * 80}]
        file = self.export("--jsonl", f"t={self.write_rows('t.jsonl', rows)}")
        self.assertEqual(file["t/a/flags"][:6].tolist(), [1, 0, 2, 0, 2, 1])
        self.assertEqual(file["t/a/truncated"][:].tolist(), [0, 1])
        self.assertEqual(np.diff(file["t/a/offsets"][:]).tolist(), [6, 64])

    def test_stress_texts_carry_the_needle(self):
        text = "a the delivery contains not mans x"
        row = {"index": 7, "text": text, "label": 1, "needle": [1, 2, 3, 4, 5]}
        data = f"train={self.write_rows('s.jsonl', [row])}"
        file = self.export("--stress", data)
        self.assertEqual(file["train/a/flags"][:].tolist(), [1, 0, 4, 4, 4, 4, 4, 6, 0, 1])
        self.assertEqual((file["train/ids"][0], file.attrs["task"]), (7, "stress"))
        prefixed = self.export("--stress", data, "--prefix", "is a: ", out=self.path / "prefix.h5")
        flags = prefixed["train/a/flags"][:].tolist()
        self.assertEqual(flags[-len("0444446") - 2:], [0, 4, 4, 4, 4, 4, 6, 0, 1])
        self.assertEqual(prefixed["train/a/text"][0].decode(), row["text"])

    def test_pairs_have_a_group_for_each_text(self):
        table = "id,one,two,score\n1,\"the keys, a\",a man,0.5\n2,reports,\"is\nflute\",\n"
        file = self.export("--csv", f"v={self.write('t.csv', table)}", "--text-key", "one", "--text-pair-key",
                           "two", "--label-key", "score")
        self.assertEqual((file.attrs["num_texts"], file.attrs["label_type"]), (2, "real"))
        np.testing.assert_array_equal(file["v/labels"][:], [0.5, np.nan])
        self.assertEqual([text.decode() for text in file["v/b/text"][:]], ["a man", "is\nflute"])
        self.assertEqual(len(file["v/b/offsets"]), 3)

    def test_tsv_knows_no_quotes_and_gzip_is_read(self):
        path = self.path / "t.tsv.gz"
        path.write_bytes(gzip.compress("text\tlabel\n\"the keys\tgood\n\u2028a man\tbad\n".encode()))
        file = self.export("--tsv", f"v={path}", "--no-text", "--compress")
        self.assertEqual([name.decode() if isinstance(name, bytes) else name
                          for name in file.attrs["class_names"]], ["bad", "good"])
        self.assertEqual(file["v/labels"][:].tolist(), [1, 0])
        self.assertNotIn("text", file["v/a"])
        self.assertEqual(file["v/a/hidden"].compression, "gzip")

    def test_a_label_that_is_missing_is_stored_as_none(self):
        rows = [{"text": "a", "label": 1}, {"text": "a"}, {"text": "a", "label": -1}]
        file = self.export("--jsonl", f"t={self.write_rows('t.jsonl', rows)}")
        self.assertEqual(file["t/labels"][:].tolist(), [1, -1, -1])


class Conversion(ExporterTest):
    def test_bf16_rounds_to_nearest_even(self):
        bits = np.array([0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0xBF818000], np.uint32)
        stored = token_store_writer.to_stored(bits.view(np.float32).reshape(1, 1, -1), "bf16", "here")
        self.assertEqual(stored.ravel().tolist(), [0x3F80, 0x3F80, 0x3F82, 0x3F81, 0x3F80, 0xBF82])

    def test_bf16_agrees_with_torch_and_names_its_encoding(self):
        data = f"t={self.write_rows('t.jsonl', sample_rows(5))}"
        exact = self.export("--dtype", "f32", "--jsonl", data)["t/a/hidden"][:]
        stored = self.export("--dtype", "bf16", "--jsonl", data, out=self.path / "b.h5")["t/a/hidden"]
        self.assertEqual((stored.dtype, stored.attrs["encoding"]), (np.uint16, "bfloat16"))
        wanted = torch.tensor(exact).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
        np.testing.assert_array_equal(stored[:], wanted)

    def test_a_state_beyond_half_precision_stops_the_export(self):
        data = f"t={self.write_rows('t.jsonl', sample_rows(2))}"
        run = exporter.Encoder.run

        def outlier(encoder, batch):
            states = run(encoder, batch)
            states[0, 1, 0, 5] = 7e4
            return states
        with mock.patch.object(exporter.Encoder, "run", outlier):
            self.assert_fails(1, "state 70000 at token 1, stored layer 0, channel 5; expected finite values "
                                 "up to 65504 for f16 (--dtype bf16 has the range)", "--jsonl", data)
            self.export("--dtype", "bf16", "--jsonl", data, out=self.path / "b.h5")

    def test_nan_stops_the_export(self):
        with self.assertRaisesRegex(exporter.ExportError, "t.jsonl:3: state nan at token 0, stored layer 0, "
                                                          "channel 1; expected finite values"):
            token_store_writer.to_stored(np.array([[[0, np.nan]]], np.float32), "f32", "t.jsonl:3")


class Resume(ExporterTest):
    def killed_at(self, step, arguments):
        """Run the export in a child that kills itself in the middle of writing, at its `step`-th write."""
        child = os.fork()
        if child == 0:
            extend, calls = token_store_writer.extend, 0

            def deadly(dataset, values):
                nonlocal calls
                calls += 1
                if calls == step:
                    dataset.resize(len(dataset) + len(values), axis=0)
                    os.kill(os.getpid(), signal.SIGKILL)
                extend(dataset, values)
            token_store_writer.extend = deadly
            self.run_exporter(*arguments)
            os._exit(0)
        self.assertTrue(os.WIFSIGNALED(os.waitpid(child, 0)[1]))

    def test_a_killed_export_ends_with_the_same_bits(self):
        rows = sample_rows(50)
        for row in rows:
            row["pair"] = row["text"][::2]
        data = [f"train={self.write_rows('t.jsonl', rows)}", f"v={self.write_rows('v.jsonl', rows[:9])}"]
        arguments = ["--quiet", "--jsonl", *data, "--text-pair-key", "pair", "--window", "8"]
        self.export(*arguments, out=self.path / "whole.h5")
        for step in (1, 14, 40, 75, 89):
            with self.subTest(step=step):
                self.killed_at(step, arguments)
                if step == 40:  # killed once more
                    self.killed_at(20, [*arguments, "--resume"])
                with h5py.File(self.out) as file:
                    rows_done = [int(split.attrs["rows"]) for split in file.values()]
                self.assertLess(sum(rows_done), 59)
                self.assertGreaterEqual(sum(rows_done), min(8 * ((step - 1) // 10), 50))
                self.export(*arguments, "--resume")
                self.assert_same_store(self.out, self.path / "whole.h5")
                self.out.unlink()

    def test_a_complete_store_is_left_as_it_is_and_takes_further_splits(self):
        rows = sample_rows(6)
        data = f"train={self.write_rows('t.jsonl', rows)}"
        more = f"test={self.write_rows('u.jsonl', rows[:3])}"
        self.export("--jsonl", data).close()
        self.export("--jsonl", data, more, "--resume").close()
        self.export("--jsonl", data, more, out=self.path / "both.h5").close()
        self.assert_same_store(self.out, self.path / "both.h5")

    def test_another_command_cannot_resume(self):
        data = f"train={self.write_rows('t.jsonl', sample_rows(6))}"
        self.export("--jsonl", data).close()
        again = ("--resume", "--jsonl", data)
        self.assert_fails(1, "out.h5: dtype is f16; expected f32", *again, "--dtype", "f32")
        self.assert_fails(1, "out.h5: was begun with batch_tokens 8192; expected 99", *again,
                          "--batch-tokens", "99")
        self.write_rows("t.jsonl", sample_rows(7))
        self.assert_fails(1, "with which split 'train' of", *again)
        self.assert_fails(2, "out.h5: exists already; expected a new file, or --resume", "--jsonl", data)
        self.out.write_bytes(b"not HDF5")
        self.assert_fails(1, "out.h5: cannot be opened for writing", *again)


class Errors(ExporterTest):
    def test_wrong_options_exit_with_2(self):
        data = f"t={self.write_rows('t.jsonl', sample_rows(3))}"
        for message, arguments in [
            ("input: none given; expected --jsonl", []),
            ("--jsonl: got 'train.jsonl'; expected SPLIT=FILE", ["--jsonl", "train.jsonl"]),
            ("--csv: got 'a/b=f'; expected SPLIT=FILE", ["--csv", "a/b=f"]),
            ("split 't' is given twice", ["--jsonl", data, data]),
            ("--text-pair-key: given with --stress", ["--stress", data, "--text-pair-key", "b"]),
            ("--layers: got 'first'; expected last, all", ["--jsonl", data, "--layers", "first"]),
            ("--layers: got 3; expected -3 to 2", ["--jsonl", data, "--layers", "0,3"]),
            ("--max-length: got 65; expected at most 64", ["--jsonl", data, "--max-length", "65"]),
            ("--batch-tokens: invalid number from 1 value: '0'", ["--jsonl", data, "--batch-tokens", "0"]),
            ("--dtype: invalid choice: 'f8'", ["--jsonl", data, "--dtype", "f8"]),
            ("--max-gib: the store takes about 0.00 GiB; expected at most 0",
             ["--jsonl", data, "--max-gib", "0"]),
            ("--label-key: no row has 'gold'", ["--jsonl", data, "--label-key", "gold"]),
            ("--device: cannot use 'abacus'", ["--jsonl", data, "--device", "abacus"]),
        ]:
            with self.subTest(message):
                self.assert_fails(2, message, *arguments)
                self.assertFalse(self.out.exists())
        self.export("--jsonl", data, "--max-gib", "0", "--yes").close()

    def test_bad_files_exit_with_1_and_name_the_line(self):
        stress = '{"index": 0, "text": "a b", "label": 1, "needle": [2]}'
        for kind, content, message in [
            ("jsonl", '{"text": "a"}\n{"text"\n', ":2: not JSON (Expecting ':' delimiter)"),
            ("jsonl", "[1]\n", ":1: got [1]; expected one object a line"),
            ("jsonl", '{"line": "a", "label": 1}\n', ":1: no field 'text'; expected one of: line, label"),
            ("jsonl", '{"text": 5}\n', ":1: 'text' is 5; expected a string"),
            ("jsonl", '{"text": "a\\u0000"}\n', ":1: 'text' holds a NUL or half a surrogate pair"),
            ("jsonl", '{"text": "\\ud800"}\n', ":1: 'text' holds a NUL or half a surrogate pair"),
            ("jsonl", "\n", ": has no rows; expected at least one"),
            ("jsonl", '{"text": "a", "label": -2}\n', ":1: label -2; expected a class number from 0"),
            ("csv", "text,label\na,1,2\n", ":2: 3 columns; expected 2"),
            ("csv", "text,label\na\n", ":2: 1 columns; expected 2"),
            ("csv", 'text,label\n"a"b,1\n', ":2: ',' expected after '\"'; expected CSV"),
            ("stress", stress, ":1: needle is [2]; expected word positions from 0 to 1"),
            ("stress", stress.replace("0", "-1"), ":1: index is -1; expected a number from 0"),
            ("stress", 2 * (stress.replace("2", "0") + "\n"), ": an index occurs twice"),
        ]:
            with self.subTest(message):
                path = self.write("bad.txt", content)
                self.assert_fails(1, "bad.txt" + message, f"--{kind}", f"t={path}")
        path = self.write("bad.csv", "text,label\na,good\n")
        self.assert_fails(1, "bad.csv:2: label 'good'; expected a finite number", "--csv", f"t={path}",
                          "--label-type", "real")
        absent = self.path / "absent.csv"
        self.assert_fails(1, "absent.csv: No such file or directory", "--csv", f"t={absent}")
        path.write_bytes(b"text\n\xff\n")
        self.assert_fails(1, "bad.csv: byte 5 is not UTF-8", "--csv", f"t={path}")
        zipped = self.write("broken.csv.gz", "no gzip")
        self.assert_fails(1, "broken.csv.gz: Not a gzipped file", "--csv", f"t={zipped}")

    def test_a_model_or_folder_that_is_missing_exits_with_1(self):
        data = f"t={self.write_rows('t.jsonl', sample_rows(3))}"
        self.assert_fails(1, "expected a Hugging Face name or a local folder", "--jsonl", data, model="none")
        self.assert_fails(1, "cannot be created", "--jsonl", data, out=self.path / "no" / "out.h5")


if __name__ == "__main__":
    unittest.main()
