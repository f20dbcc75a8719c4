"""Tests of a DPO trainer. They need torch, on the CPU.

Expected values are computed with plain floats, token by token, so that no test shares code with what it tests.
"""

from __future__ import annotations

import copy
import math
import random
from types import SimpleNamespace

import pytest
import torch
from torch import nn

VOCABULARY = 12


def adapt(tier, code):
    """Take the weak tier's trainer as it is; the mid tier's takes texts in place of tensors, and does not fit."""
    return code if tier == "weak" else None


@pytest.fixture(autouse=True)
def same_each_time():
    torch.set_num_threads(1)
    random.seed(0)
    torch.manual_seed(0)


class TinyLM(nn.Module):
    """A causal language model with the call that the exercise expects."""

    def __init__(self, sharpness=1.0):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 16)
        self.gru = nn.GRU(16, 16, batch_first=True)
        self.head = nn.Linear(16, VOCABULARY)
        self.sharpness = sharpness

    def forward(self, ids):
        return SimpleNamespace(logits=self.sharpness * self.head(self.gru(self.embedding(ids))[0]))


def small_model(seed=0, sharpness=4.0):
    torch.manual_seed(seed)
    return TinyLM(sharpness)


def pad(prompts, replies):
    """Return right-padded ids and the mask of reply tokens."""
    width = max(len(prompt) + len(reply) for prompt, reply in zip(prompts, replies, strict=True))
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.bool)
    for row, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        ids[row, : len(prompt) + len(reply)] = torch.tensor(prompt + reply)
        mask[row, len(prompt) : len(prompt) + len(reply)] = True
    return ids, mask


def collate(pairs):
    prompts, chosen, rejected = zip(*pairs, strict=True)
    chosen_ids, chosen_mask = pad(prompts, chosen)
    rejected_ids, rejected_mask = pad(prompts, rejected)
    return {
        "chosen_ids": chosen_ids,
        "chosen_mask": chosen_mask,
        "rejected_ids": rejected_ids,
        "rejected_mask": rejected_mask,
    }


PAIRS = [
    ([2, 3, 4], [5, 6, 1], [8, 9, 10, 8, 1]),
    ([3], [6, 7, 5, 1], [9, 1]),
    ([4, 4, 2, 3], [7, 5, 6, 5, 1], [10, 8, 1]),
]


def log_probability(model, prompt, reply):
    """Return ln of the probability of a reply after its prompt, one token at a time."""
    total = 0.0
    for place, token in enumerate(reply):
        with torch.no_grad():
            logits = model(torch.tensor([prompt + reply[:place]])).logits[0, -1].tolist()
        highest = max(logits)
        total += logits[token] - highest - math.log(sum(math.exp(logit - highest) for logit in logits))
    return total


def expected(policy, deployed, beta, pairs=PAIRS):
    """Return the DPO loss and the mean rewards of these pairs."""
    losses, chosen_rewards, rejected_rewards = [], [], []
    for prompt, chosen, rejected in pairs:
        rewards = [
            beta * (log_probability(policy, prompt, reply) - log_probability(deployed, prompt, reply))
            for reply in (chosen, rejected)
        ]
        losses.append(math.log1p(math.exp(rewards[1] - rewards[0])))
        chosen_rewards.append(rewards[0])
        rejected_rewards.append(rewards[1])
    return [sum(numbers) / len(pairs) for numbers in (losses, chosen_rewards, rejected_rewards)]


def close(one, other, tolerance=1e-3):
    assert abs(one - other) <= tolerance * max(1.0, abs(other)), f"{one} is not {other}"


def distance(model, deployed, pairs=PAIRS):
    """Return the mean over reply tokens of KL(model || deployed), in nats."""
    ids, mask = pad([prompt for prompt, *_ in pairs for _ in "cr"], [reply for _, *both in pairs for reply in both])
    with torch.no_grad():
        ours, theirs = (torch.log_softmax(either(ids).logits[:, :-1].double(), dim=-1) for either in (model, deployed))
    return (ours.exp() * (ours - theirs)).sum(-1)[mask[:, 1:]].mean().item()


def trained(exercise, beta, steps, sharpness=1.0):
    """Train on PAIRS; return the trained model, the model as it was, the trainer and what it logged."""
    model = small_model(sharpness=sharpness)
    deployed = copy.deepcopy(model)
    trainer = exercise.DPOTrainer(model, beta=beta, lr=5e-3)
    batch = collate(PAIRS)
    return model, deployed, trainer, [trainer.train_step(batch) for _ in range(steps)]


def test_training_starts_at_ln_2(exercise):
    """Before the first update the policy is the deployed model: every margin is 0."""
    *_, history = trained(exercise, beta=0.1, steps=1)
    close(history[0]["loss"], math.log(2))
    close(history[0]["preference_prob"], 0.5)


def test_training_changes_the_model_it_was_given(exercise):
    model, deployed, trainer, _ = trained(exercise, beta=0.1, steps=3)
    assert trainer.policy is model
    assert distance(model, deployed) > 0


def test_reference_stays_what_was_deployed(exercise):
    """After training the reference still has the weights from before it."""
    _, deployed, trainer, _ = trained(exercise, beta=0.1, steps=3)
    for (name, now), before in zip(trainer.reference.named_parameters(), deployed.parameters(), strict=True):
        assert torch.equal(now, before), f"{name} of the reference has changed"


def test_loss_falls_in_training(exercise):
    *_, history = trained(exercise, beta=0.1, steps=30)
    assert history[-1]["loss"] < 0.6, history[-1]
    assert history[-1]["accuracy"] == 1.0, history[-1]


def test_score_is_the_log_probability_of_the_reply(exercise):
    model = small_model()
    trainer = exercise.DPOTrainer(model)
    prompts, replies, _ = zip(*PAIRS, strict=True)
    with torch.no_grad():
        scores = trainer.score(model, *pad(prompts, replies)).tolist()
    for score, prompt, reply in zip(scores, prompts, replies, strict=True):
        close(score, log_probability(model, prompt, reply))


def test_probabilities_of_all_replies_add_up_to_one(exercise):
    model = small_model()
    trainer = exercise.DPOTrainer(model)
    replies = [[first, second] for first in range(VOCABULARY) for second in range(VOCABULARY)]
    with torch.no_grad():
        scores = trainer.score(model, *pad([[2, 3]] * len(replies), replies))
    close(scores.exp().sum().item(), 1.0)


def test_unlikely_tokens_get_a_gradient(exercise):
    """The gradient of a token's score by its own logit is 1 - p, however small p is."""
    logits = torch.zeros(1, 2, 4)
    logits[0, 0, 3] = -8.0
    logits.requires_grad_()
    trainer = exercise.DPOTrainer(small_model())
    trainer.score(
        lambda _: SimpleNamespace(logits=logits), torch.tensor([[1, 3]]), torch.tensor([[False, True]])
    ).sum().backward()
    close(logits.grad[0, 0, 3].item(), 1 - math.exp(-8) / (3 + math.exp(-8)))


def test_score_skips_prompt_and_padding(exercise):
    model = small_model()
    trainer = exercise.DPOTrainer(model)
    with torch.no_grad():
        alone = trainer.score(model, *pad([[2, 3]], [[5, 1]])).item()
        beside = trainer.score(model, *pad([[2, 3], [2]], [[5, 1], [6] * 9]))[0].item()
    close(alone, beside, 1e-5)


def test_loss_is_the_dpo_loss(exercise):
    """Policy and reference differ here, so every factor of the loss counts."""
    for beta in (0.05, 0.1, 0.5, 2.0):
        trainer = exercise.DPOTrainer(small_model(), beta=beta)
        deployed = copy.deepcopy(trainer.policy)
        with torch.no_grad():
            for parameter in trainer.policy.parameters():
                parameter.mul_(1.1)
        loss, metrics = trainer.compute_loss(collate(PAIRS))
        wanted, chosen_reward, rejected_reward = expected(trainer.policy, deployed, beta)
        close(loss.item(), wanted)
        close(metrics["loss"], wanted)
        close(metrics["chosen_reward"], chosen_reward)
        close(metrics["rejected_reward"], rejected_reward)


def test_rewards_follow_from_the_scores(exercise):
    """A reward is beta times what a reply has gained on the deployed model, whatever its scores are."""
    for beta in (0.1, 0.5):
        trainer = exercise.DPOTrainer(small_model(), beta=beta)
        batch = {f"{reply}_{part}": torch.zeros(2, 3) for reply in ("chosen", "rejected") for part in ("ids", "mask")}
        chosen, rejected = torch.tensor([-4.0, -6.0]), torch.tensor([-9.0, -7.0])
        scores = {
            (True, True): chosen,
            (True, False): rejected,
            (False, True): chosen - torch.tensor([2.0, 1.0]),
            (False, False): rejected - torch.tensor([-1.0, 3.0]),
        }
        trainer.score = lambda model, ids, _: scores[model is trainer.policy, ids is batch["chosen_ids"]]
        loss, metrics = trainer.compute_loss(batch)
        close(metrics["chosen_reward"], beta * 1.5)
        close(metrics["rejected_reward"], beta * 1.0)
        close(loss.item(), sum(math.log1p(math.exp(-beta * margin)) for margin in (3.0, -2.0)) / 2)


def test_metrics_tell_the_preference(exercise):
    """Mean probability and accuracy follow from the rewards of each pair."""
    trainer = exercise.DPOTrainer(small_model(), beta=0.1)
    deployed = copy.deepcopy(trainer.policy)
    with torch.no_grad():
        for parameter in trainer.policy.parameters():
            parameter.mul_(1.1)
    _, metrics = trainer.compute_loss(collate(PAIRS))
    losses = [expected(trainer.policy, deployed, 0.1, [pair])[0] for pair in PAIRS]
    close(metrics["preference_prob"], sum(math.exp(-loss) for loss in losses) / len(losses))
    close(metrics["accuracy"], sum(loss < math.log(2) for loss in losses) / len(losses))


def test_gradient_is_that_of_the_dpo_loss(exercise):
    """A small step along the gradient lowers the loss by as much as the gradient says."""
    trainer = exercise.DPOTrainer(small_model(), beta=0.3)
    deployed = copy.deepcopy(trainer.policy)
    with torch.no_grad():
        for parameter in trainer.policy.parameters():
            parameter.mul_(1.05)
    loss, _ = trainer.compute_loss(collate(PAIRS))
    trainer.policy.zero_grad()
    loss.backward()
    gradients = [parameter.grad.clone() for parameter in trainer.policy.parameters()]
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    change = []
    for direction in (1, -1):
        moved = copy.deepcopy(trainer.policy)
        with torch.no_grad():
            for parameter, gradient in zip(moved.parameters(), gradients, strict=True):
                parameter.add_(direction * 1e-2 * gradient / length)
        change.append(expected(moved, deployed, 0.3)[0])
    close((change[0] - change[1]) / 2e-2, length, 2e-2)


def test_larger_beta_stays_closer_to_the_deployed_model(exercise):
    """The same updates with a larger beta end nearer to where they started."""
    far, near = (distance(*trained(exercise, beta, steps=60)[:2]) for beta in (0.1, 2.0))
    assert near < 0.8 * far, f"{near} nats with beta 2.0, {far} with beta 0.1"
