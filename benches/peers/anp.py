"""An attentive neural process that conditions on 100 points and predicts 201 targets, hidden 128, f32, beside PyTorch: as the published code does
it (the whole network once a latent, its dropout left on) and in leaner forms. One thread pinned to one core (Linux), in turns.

    python benches/peers/anp.py [--case NAME ..] [--json PATH] [--seconds S]

All have the same weights, and ours and the fused form without dropout must agree. The library is called through its Python binding; cargo builds
it unless PCML_LIBRARY and PCML_COMMAND name what is built. Needs torch and safetensors.
"""

import argparse
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import turns

sys.path.insert(0, str(turns.ROOT / "examples/training"))
from anp import ANP, Attention  # noqa: E402

LATENTS = 100


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


def converted(network):
    """Our model of a network, by its published names: linear layers are wrapped there, norms are not."""
    import pcml

    state = {}
    for name, tensor in network.state_dict().items():
        layer, part = name.rsplit(".", 1)
        state[name if layer.endswith("layer_norm") else f"{layer}.linear_layer.{part}"] = tensor
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        pcml.convert("anp", state, path, n_heads=network.numbers["heads"], dropout=0.0)
        return pcml.Model.load(path)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cases = ("1 latent", f"{LATENTS} latents")
    parser.add_argument("--case", nargs="+", choices=cases, default=cases)
    turns.add_options(parser)
    arguments = parser.parse_args()
    turns.use_pcml()
    import pcml

    turns.pin()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = ANP(hidden=128, dropout=0.0).eval()
    model = converted(network)
    cx, cy, tx = torch.rand(1, 100, 2), torch.rand(1, 100, 1), torch.rand(1, 201, 2)
    draws = torch.randn(LATENTS, 128)

    def once(draw):
        mu, log_var = network.latent_encoder(cx, cy)
        z = mu + draw * torch.exp(0.5 * log_var)
        return network.decoder(network.deterministic_encoder(cx, cy, tx), z, tx)

    def mixture():
        means, sigmas = zip(*(once(draw) for draw in draws))
        means, sigmas = torch.stack(means), torch.stack(sigmas)
        return means.mean(0), sigmas.pow(2).mean(0) + means.var(0)

    def theirs(forward, dropout, run):
        def called():
            Attention.forward = forward
            for module in network.modules():
                if isinstance(module, Attention):
                    module.dropout = dropout
            return run()

        return called

    def ours(latents, draws=None):
        plan = pcml.Plan(model, np.float32, context=100, targets=201, latents=latents)
        conditioned = plan.condition(cx[0].numpy(), cy[0].numpy())

        def run():
            conditioned.condition(cx[0].numpy(), cy[0].numpy())
            return conditioned.query(tx[0].numpy(), draws)

        return run

    fused = Attention.forward
    table = turns.Table(arguments)
    if cases[0] in arguments.case:
        # The mean latent for all.
        single = lambda: once(torch.zeros(1, 128))
        runs = {"pcml": ours(0), "torch": theirs(published_attention, 0.0, single), "torch fused": theirs(fused, 0.0, single)}
        agree(runs["pcml"]()[0], runs["torch fused"]()[0])
        table.add(cases[0], runs)
    if cases[1] in arguments.case:
        runs = {
            "pcml": ours(LATENTS, draws[:, None].numpy()),
            "published": theirs(published_attention, 0.1, mixture),
            "torch": theirs(published_attention, 0.0, mixture),
            "torch fused": theirs(fused, 0.0, mixture),
        }
        agree(runs["pcml"]()[0], runs["torch fused"]()[0])
        table.add(cases[1], runs)
    table.close()


def agree(ours, theirs):
    error = np.abs(ours.reshape(-1) - theirs.numpy().reshape(-1)).max() / np.abs(ours).max()
    assert error < 1e-4, f"the means differ by {error:.1e}"


if __name__ == "__main__":
    main()
