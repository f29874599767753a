"""PyTorch, one thread: condition on 100 points and predict 201 targets, hidden 128, f32, as the published code does it
(the whole network once a latent, its dropout left on) and in leaner forms. The peer of `cargo bench --bench anp`.

    python benches/peers/anp.py
"""

import math
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/training"))
from anp import ANP, Attention  # noqa: E402


def published_attention(self, key, value, query):
    """Scores, softmax and context as separate batched products, as the published module computes them."""
    def split(a):
        batch, points, hidden = a.shape
        heads = a.reshape(batch, points, self.heads, hidden // self.heads).permute(2, 0, 1, 3)
        return heads.reshape(self.heads * batch, points, hidden // self.heads)

    keys, values, queries = split(self.encoder_key(key)), split(self.encoder_value(value)), split(self.encoder_query(query))
    scores = torch.softmax(torch.bmm(queries, keys.transpose(1, 2)) / math.sqrt(keys.shape[-1]), dim=-1)
    if self.dropout > 0:
        scores = torch.dropout(scores, self.dropout, True)
    out = torch.bmm(scores, values).reshape(self.heads, *query.shape[:2], -1).permute(1, 2, 0, 3).reshape(query.shape)
    out = self.final_linear(torch.cat([query, out], dim=-1))
    if self.dropout > 0:
        out = torch.dropout(out, self.dropout, True)
    return self.layer_norm(out + query)


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = ANP(hidden=128, dropout=0.0).eval()
    cx, cy, tx = torch.rand(1, 100, 2), torch.rand(1, 100, 1), torch.rand(1, 201, 2)

    def once():
        mu, log_var = model.latent_encoder(cx, cy)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * log_var)
        return model.decoder(model.deterministic_encoder(cx, cy, tx), z, tx)

    def mixture():
        means, sigmas = zip(*(once() for _ in range(100)))
        means, sigmas = torch.stack(means), torch.stack(sigmas)
        return means.mean(0), sigmas.pow(2).mean(0) + means.var(0)

    fused = Attention.forward
    for name, forward, dropout, run, repeats in (
        ("1 latent", published_attention, 0.0, once, 30),
        ("100 latents as published, dropout on", published_attention, 0.1, mixture, 5),
        ("100 latents, dropout off", published_attention, 0.0, mixture, 5),
        ("100 latents, dropout off, fused attention", fused, 0.0, mixture, 5),
    ):
        Attention.forward = forward
        for module in model.modules():
            if isinstance(module, Attention):
                module.dropout = dropout
        run()
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        print(f"{name}: {1e3 * statistics.median(seconds):.2f} ms")


if __name__ == "__main__":
    main()
