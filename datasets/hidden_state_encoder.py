"""Tokenise texts and run them through a frozen Hugging Face model."""

from dataclasses import dataclass

from text_sources import ExportError, UsageError

SPECIAL, CONTINUES, MARKED = 1, 2, 4  # bits of `flags`


@dataclass
class Encoded:
    """One tokenised text."""

    inputs: dict  # input_ids and, where the model takes them, token_type_ids
    flags: list
    truncated: bool

    def __len__(self):
        return len(self.flags)


class Encoder:
    """A tokenizer and a frozen model.

    `num_states` counts the embedding output and every block, `layers` are the wanted ones, ascending, and
    `causal` says whether a token sees only what stands before it: measured on the model, not looked up.
    """

    def __init__(self, options):
        try:
            import torch
            import transformers
        except ImportError as error:
            raise ExportError(f"{error}; expected the packages of datasets/requirements.txt")
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self.torch = torch
        self.device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.max_length, self.prefix = options.max_length, options.prefix
        where = {"revision": options.revision, "trust_remote_code": options.trust_remote_code}
        dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}.get(
            options.compute_dtype, torch.float32 if self.device == "cpu" else "auto")
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(options.model, **where)
            model = transformers.AutoModel.from_pretrained(options.model, dtype=dtype, **where)
        except (OSError, ValueError, KeyError) as error:
            raise ExportError(f"--model: cannot load '{options.model}' ({first_line(error)}); "
                              "expected a Hugging Face name or a local folder with model and tokenizer")
        self.revision = getattr(model.config, "_commit_hash", None) or ""
        self._check_length(model, options)
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        try:
            self.model = model.to(self.device).eval()
        except (RuntimeError, AssertionError) as error:
            raise UsageError(f"--device: cannot use '{self.device}' ({first_line(error)}); "
                             "expected cpu, cuda, mps, ...")
        self._probe()
        self.layers = resolve_layers(options.layers, self.num_states)

    def _check_length(self, model, options):
        limits = [self.tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None)]
        limit = min(limit for limit in limits if limit is not None)
        if self.max_length > limit:
            raise UsageError(f"--max-length: got {self.max_length}; "
                             f"expected at most {limit}, the longest input of the model")

    def _probe(self):
        """Measure the sizes, and whether the first token's state depends on those after it."""
        torch = self.torch
        vocabulary = self.model.config.get_text_config().vocab_size
        ids = torch.arange(12, device=self.device).reshape(2, 6) % vocabulary
        ids[1, 0] = ids[0, 0]
        with torch.inference_mode():
            output = self.model(input_ids=ids, output_hidden_states=True)
        self.num_states = len(output.hidden_states)
        last = output.last_hidden_state
        self.hidden_size = last.shape[-1]
        if not torch.equal(last, output.hidden_states[-1]):
            raise ExportError("--model: the last of hidden_states differs from last_hidden_state; "
                              "expected the same states")
        first, other = last[0, 0].float(), last[1, 0].float()
        near = (first - other).abs() <= 2 * torch.finfo(last.dtype).eps * first.abs()
        self.causal = bool(near.float().mean() > 0.5)

    @property
    def adds_special_tokens(self):
        return self.tokenizer.num_special_tokens_to_add() > 0

    def encode(self, texts, needles):
        """Tokenise texts; `needles` holds the marked words of each, counted at single spaces."""
        full = [self.prefix + text for text in texts]
        fast = self.tokenizer.is_fast
        batch = self.tokenizer(full, truncation=True, max_length=self.max_length,
                               return_special_tokens_mask=True, return_offsets_mapping=fast)
        if not fast and any(needles):
            raise ExportError("--model: its tokenizer gives no character positions; "
                              "expected a fast one for --stress")
        names = [name for name in ("input_ids", "token_type_ids") if name in batch]
        shift = sum(character.isspace() for character in self.prefix)
        encoded = []
        for i, text in enumerate(full):
            flags = [SPECIAL if special else 0 for special in batch["special_tokens_mask"][i]]
            if fast:
                words = token_words(text, batch["offset_mapping"][i])
                flag_words(flags, words, {word + shift for word in needles[i]})
                truncated = bool(batch.encodings[i].overflowing)
            else:
                truncated = len(self.tokenizer(text)["input_ids"]) > self.max_length
            encoded.append(Encoded({name: batch[name][i] for name in names}, flags, truncated))
        return encoded

    def run(self, batch):
        """States [B, longest, S, D] float32 of encoded texts, padded on the right."""
        torch = self.torch
        longest = max(map(len, batch))
        pads = {"input_ids": self.tokenizer.pad_token_id or 0,
                "token_type_ids": self.tokenizer.pad_token_type_id}

        def padded(rows, pad):
            return torch.tensor([row + [pad] * (longest - len(row)) for row in rows], device=self.device)

        inputs = {name: padded([text.inputs[name] for text in batch], pads[name]) for name in batch[0].inputs}
        inputs["attention_mask"] = padded([[1] * len(text) for text in batch], 0)
        last_only = self.layers == [self.num_states - 1]
        try:
            with torch.inference_mode():
                output = self.model(**inputs, output_hidden_states=not last_only)
                states = output.last_hidden_state.unsqueeze(2) if last_only else \
                    torch.stack([output.hidden_states[layer] for layer in self.layers], dim=2)
                return states.float().cpu().numpy()
        except (RuntimeError, IndexError) as error:
            raise ExportError(f"--model: failed on {len(batch)} texts of {longest} tokens "
                              f"({first_line(error)}); expected it to run (a smaller --batch-tokens or "
                              "--max-length takes less memory)")


def first_line(error):
    return str(error).strip().partition("\n")[0]


def resolve_layers(wanted, num_states):
    """Turn `last`, `all` or a list such as 0,6,-1 into ascending layer numbers; 0 is the embedding output."""
    if wanted == "all":
        return list(range(num_states))
    try:
        numbers = [-1] if wanted == "last" else [int(number) for number in wanted.split(",")]
    except ValueError:
        raise UsageError(f"--layers: got '{wanted}'; expected last, all or a list such as 0,6,-1")
    for number in numbers:
        if not -num_states <= number < num_states:
            raise UsageError(f"--layers: got {number}; "
                             f"expected {-num_states} to {num_states - 1}, 0 being the embeddings")
    return sorted({number % num_states for number in numbers})


def token_words(text, spans):
    """Word number of each token: the white space before its first visible character; -1 without one."""
    words, spaces, position = [], 0, 0
    for start, end in spans:
        while start < end and text[start].isspace():
            start += 1
        if start == end:
            words.append(-1)
            continue
        if start < position:
            spaces, position = 0, 0
        spaces += sum(character.isspace() for character in text[position:start])
        position = start
        words.append(spaces)
    return words


def flag_words(flags, words, needle):
    """Set the bits of tokens that continue a word and of those that belong to a needle word."""
    for token, word in enumerate(words):
        if word < 0 or flags[token] & SPECIAL:
            continue
        if token > 0 and words[token - 1] == word:
            flags[token] |= CONTINUES
        if word in needle:
            flags[token] |= MARKED
