"""TorchServe handler: BERT-base sequence classification with random weights, as heavy as the real one, with no download.

Every request is padded to 150 tokens and run in fp32, eager. Weights come from a fixed seed and token numbers from a hash
of the words, so that the same text gets the same answer in every worker, and a study measures the same work each time.
"""
import json
import re
import zlib

import torch
from transformers import BertConfig, BertForSequenceClassification

SEED = 1
TOKENS = 150
LABELS = ("Rejected", "Accepted")
# Numbers that BERT's vocabulary keeps for the start, the end and the filling of a text; words come after them.
START, END, PADDING, FIRST_WORD = 101, 102, 0, 1000
WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")


class BertHandler:
    """One worker's model. TorchServe calls initialize once and handle for each batch."""

    def initialize(self, context):
        gpu = context.system_properties.get("gpu_id")
        if gpu is not None and not torch.cuda.is_available():
            raise RuntimeError("CUDA is not available to this worker, though the front end gave it GPU %s" % gpu)
        self.device = torch.device("cpu" if gpu is None else "cuda:%s" % gpu)
        torch.manual_seed(SEED)
        config = BertConfig(num_labels=len(LABELS), attn_implementation="eager")
        # Made on the CPU: its random numbers are the same on every host.
        self.model = BertForSequenceClassification(config).eval().to(self.device)
        self.vocabulary = config.vocab_size - FIRST_WORD

    @torch.inference_mode()
    def handle(self, requests, context):
        rows = [self.tokens(text_of(request)) for request in requests]
        tokens = torch.tensor(rows, device=self.device)
        logits = self.model(input_ids=tokens, attention_mask=(tokens != PADDING).long()).logits
        return [LABELS[label] for label in logits.argmax(dim=1).tolist()]

    def tokens(self, text):
        words = WORD.findall(text.lower())[: TOKENS - 2]
        numbers = [START, *(FIRST_WORD + zlib.crc32(word.encode()) % self.vocabulary for word in words), END]
        return numbers + [PADDING] * (TOKENS - len(numbers))


def text_of(request):
    """The text of a request: the member of that name of a JSON object, else the whole body."""
    body = request.get("data") or request.get("body") or ""
    if isinstance(body, (bytes, bytearray)):
        body = body.decode("utf-8", errors="replace")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return body
    return str(body.get("text", "")) if isinstance(body, dict) else str(body)
