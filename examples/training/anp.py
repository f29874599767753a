"""Attentive neural process (Kim et al., ICLR 2019) in the layout of ProbConserv (Hansen et al., ICML 2023).

The network maps a set of context pairs (x_c, y_c) and target coordinates x_t to a normal density for y_t:

    latent encoder         (x_c, y_c) -> mu_z, log sigma_z^2          one latent vector a function
    deterministic encoder  (x_c, y_c), x_t -> r_t                     self-attention, then cross-attention
    decoder                (r_t, z, x_t) -> mean_t, sigma_t           sigma = softplus(.) + min_sigma

Module names are those of the model file (see README.md), so a state dict is the file's tensor list.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def linear(n_in: int, n_out: int, bias: bool = True, gain: float = 1.0) -> nn.Linear:
    layer = nn.Linear(n_in, n_out, bias=bias)
    nn.init.xavier_uniform_(layer.weight, gain=gain)
    return layer


class Attention(nn.Module):
    """Multi-head attention whose output is concatenated with the query, projected, added to it and normalised."""

    def __init__(self, hidden: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.encoder_key = linear(hidden, hidden, bias=False)
        self.encoder_value = linear(hidden, hidden, bias=False)
        self.encoder_query = linear(hidden, hidden, bias=False)
        self.final_linear = linear(2 * hidden, hidden)
        self.layer_norm = nn.LayerNorm(hidden)

    def forward(self, key: Tensor, value: Tensor, query: Tensor) -> Tensor:
        def split(a: Tensor) -> Tensor:
            return a.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        drop = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(
            split(self.encoder_query(query)), split(self.encoder_key(key)), split(self.encoder_value(value)),
            dropout_p=drop,
        )
        out = out.transpose(1, 2).flatten(-2)
        out = self.final_linear(torch.cat([query, out], dim=-1))
        return self.layer_norm(F.dropout(out, drop) + query)


class LatentEncoder(nn.Module):
    def __init__(self, hidden: int, heads: int, dim_x: int, dim_y: int, dropout: float):
        super().__init__()
        self.input_projection = linear(dim_x + dim_y, hidden)
        self.self_attentions = nn.ModuleList(Attention(hidden, heads, dropout) for _ in range(2))
        self.penultimate_layer = linear(hidden, hidden, gain=math.sqrt(2.0))
        self.mu = linear(hidden, hidden)
        self.log_sigma = linear(hidden, hidden)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        h = self.input_projection(torch.cat([x, y], dim=-1))
        for attention in self.self_attentions:
            h = attention(h, h, h)
        h = torch.relu(self.penultimate_layer(h.mean(dim=1)))
        return self.mu(h), self.log_sigma(h)


class DeterministicEncoder(nn.Module):
    def __init__(self, hidden: int, heads: int, dim_x: int, dim_y: int, dropout: float):
        super().__init__()
        self.input_projection = linear(dim_x + dim_y, hidden)
        self.self_attentions = nn.ModuleList(Attention(hidden, heads, dropout) for _ in range(2))
        self.context_projection = linear(dim_x, hidden)
        self.target_projection = linear(dim_x, hidden)
        self.cross_attentions = nn.ModuleList(Attention(hidden, heads, dropout) for _ in range(2))

    def forward(self, context_x: Tensor, context_y: Tensor, target_x: Tensor) -> Tensor:
        h = self.input_projection(torch.cat([context_x, context_y], dim=-1))
        for attention in self.self_attentions:
            h = attention(h, h, h)
        key, query = self.context_projection(context_x), self.target_projection(target_x)
        for attention in self.cross_attentions:
            query = attention(key, h, query)
        return query


class Decoder(nn.Module):
    def __init__(self, hidden: int, dim_x: int, dim_y: int, min_sigma: float):
        super().__init__()
        self.min_sigma = min_sigma
        self.target_projection = linear(dim_x, hidden)
        self.linears = nn.ModuleList(linear(3 * hidden, 3 * hidden, gain=math.sqrt(2.0)) for _ in range(3))
        self.final_projection = linear(3 * hidden, 2 * dim_y)

    def forward(self, r: Tensor, z: Tensor, target_x: Tensor) -> tuple[Tensor, Tensor]:
        z = z.unsqueeze(1).expand(-1, r.shape[1], -1)
        h = torch.cat([r, z, self.target_projection(target_x)], dim=-1)
        for layer in self.linears:
            h = torch.relu(layer(h))
        mean, raw = self.final_projection(h).chunk(2, dim=-1)
        return mean, F.softplus(raw) + self.min_sigma


class ANP(nn.Module):
    """context_x [B, n, dim_x], context_y [B, n, dim_y], target_x [B, m, dim_x], all in scaled units."""

    def __init__(self, hidden=128, heads=4, dim_x=2, dim_y=1, min_sigma=1e-3, dropout=0.1):
        super().__init__()
        self.numbers = {"hidden": hidden, "heads": heads, "dim_x": dim_x, "dim_y": dim_y,
                        "min_sigma": min_sigma, "layer_norm_eps": 1e-5, "dropout": dropout}
        self.latent_encoder = LatentEncoder(hidden, heads, dim_x, dim_y, dropout)
        self.deterministic_encoder = DeterministicEncoder(hidden, heads, dim_x, dim_y, dropout)
        self.decoder = Decoder(hidden, dim_x, dim_y, min_sigma)

    def forward(self, context_x, context_y, target_x):
        """Mean and sigma [B, m, dim_y] at the mean latent."""
        z, _ = self.latent_encoder(context_x, context_y)
        return self.decoder(self.deterministic_encoder(context_x, context_y, target_x), z, target_x)

    def loss(self, context_x, context_y, target_x, target_y) -> Tensor:
        """Negative evidence lower bound, summed over targets, averaged over functions."""
        # Both latent passes in one batch: context and target sets have the same size while training.
        mu, log_var = self.latent_encoder(torch.cat([context_x, target_x]), torch.cat([context_y, target_y]))
        (mu_c, mu_t), (lv_c, lv_t) = mu.chunk(2), log_var.chunk(2)
        z = mu_t + torch.randn_like(mu_t) * torch.exp(0.5 * lv_t)
        mean, sigma = self.decoder(self.deterministic_encoder(context_x, context_y, target_x), z, target_x)
        log_density = -0.5 * ((target_y - mean) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
        kl = 0.5 * ((torch.exp(lv_t) + (mu_t - mu_c) ** 2) / torch.exp(lv_c) - 1.0 + lv_c - lv_t)
        return (kl.sum() - log_density.sum()) / len(target_y)
