"""The byte-level BPE vocabulary of canary-guard (docs/reference/guard-model.md), trained on the training texts.

`tokenizers` (pre-tokenizer of GPT-2) trains it; the engine reads the same tokens and merges from the GGUF file.
"""

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CONTROLS = ['[CLS]', '[SEP]', '[INSTRUCTION]', '[CALL]', '[RESULT]']
ROLE = {'instruction': 2, 'call': 3, 'result': 4}


def train(texts, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(CONTROLS),
        initial_alphabet=alphabet,
        min_frequency=3,
        max_token_length=24,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


class Vocabulary:
    """Ids of the controls come first, then those of the BPE, shifted: no text can make a control token."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.size = tokenizer.get_vocab_size() + len(CONTROLS)

    @classmethod
    def load(cls, path):
        return cls(Tokenizer.from_file(path))

    def save(self, path):
        self.tokenizer.save(path)

    def drop(self, share):
        """Leaves out so many merges at random (BPE-dropout, Provilkov et al., 2020), so that a word has many spellings."""
        self.tokenizer.model.dropout = share or None

    def encode(self, texts):
        """[(ids, [(start, end) in characters])] of texts, without controls."""
        shift = len(CONTROLS)
        return [
            ([i + shift for i in e.ids], e.offsets)
            for e in self.tokenizer.encode_batch(texts, add_special_tokens=False)
        ]

    def for_gguf(self):
        """(tokens, types, merges) in the order of ids: type 3 is control, 1 normal."""
        model = json.loads(self.tokenizer.to_str())['model']
        words = sorted(model['vocab'], key=model['vocab'].get)
        merges = [m if isinstance(m, str) else ' '.join(m) for m in model['merges']]
        return CONTROLS + words, [3] * len(CONTROLS) + [1] * len(words), merges
