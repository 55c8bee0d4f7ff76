"""Made the text encoders of `flux/base`: random ones of the widths the authors' tiny weights take, so that the folder
can render a whole story. The authors' numbers are given for prompt embeddings and do not depend on them.

    python -m tests.golden.make_text_encoders
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast, T5Config, T5EncoderModel

from tests.tiny import clip_tokenizer

BASE = Path(__file__).parent / "flux" / "base"


def t5_tokenizer() -> PreTrainedTokenizerFast:
    """A unigram tokenizer of single characters with T5's marks."""
    characters = ["▁", *(chr(code) for code in range(33, 127))]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((character, -5.0) for character in characters)]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=512, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def main() -> None:
    torch.manual_seed(0)
    tokenizer, tokenizer_2 = clip_tokenizer(), t5_tokenizer()
    clip = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=256,
        eos_token_id=257,
    )
    t5 = T5Config(vocab_size=len(tokenizer_2), d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2)
    CLIPTextModel(clip).save_pretrained(BASE / "text_encoder")
    T5EncoderModel(t5).save_pretrained(BASE / "text_encoder_2")
    tokenizer.save_pretrained(BASE / "tokenizer")
    tokenizer_2.save_pretrained(BASE / "tokenizer_2")


if __name__ == "__main__":
    main()
