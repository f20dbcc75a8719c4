"""Test the exercise's program: python tests.py MODULE.py

Needs torch on the CPU and nothing else. Prints a line for each test and exits with 1 where one fails. Expected values
are computed with plain floats, token by token, so that no test shares code with what it tests.
"""

from __future__ import annotations

import copy
import importlib.util
import math
import random
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

VOCABULARY = 12


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


def trained(module, beta, steps, sharpness=1.0):
    """Train on PAIRS; return the trained model, the model as it was, the trainer and what it logged."""
    model = small_model(sharpness=sharpness)
    deployed = copy.deepcopy(model)
    trainer = module.DPOTrainer(model, beta=beta, lr=5e-3)
    batch = collate(PAIRS)
    return model, deployed, trainer, [trainer.train_step(batch) for _ in range(steps)]


def test_training_starts_at_ln_2(module):
    """Before the first update the policy is the deployed model: every margin is 0."""
    *_, history = trained(module, beta=0.1, steps=1)
    close(history[0]["loss"], math.log(2))
    close(history[0]["preference_prob"], 0.5)


def test_training_changes_the_model_it_was_given(module):
    model, deployed, trainer, _ = trained(module, beta=0.1, steps=3)
    assert trainer.policy is model
    assert distance(model, deployed) > 0


def test_reference_stays_what_was_deployed(module):
    """After training the reference still has the weights from before it."""
    _, deployed, trainer, _ = trained(module, beta=0.1, steps=3)
    for (name, now), before in zip(trainer.reference.named_parameters(), deployed.parameters(), strict=True):
        assert torch.equal(now, before), f"{name} of the reference has changed"


def test_loss_falls_in_training(module):
    *_, history = trained(module, beta=0.1, steps=30)
    assert history[-1]["loss"] < 0.6, history[-1]
    assert history[-1]["accuracy"] == 1.0, history[-1]


def test_score_is_the_log_probability_of_the_reply(module):
    model = small_model()
    trainer = module.DPOTrainer(model)
    prompts, replies, _ = zip(*PAIRS, strict=True)
    with torch.no_grad():
        scores = trainer.score(model, *pad(prompts, replies)).tolist()
    for score, prompt, reply in zip(scores, prompts, replies, strict=True):
        close(score, log_probability(model, prompt, reply))


def test_probabilities_of_all_replies_add_up_to_one(module):
    model = small_model()
    trainer = module.DPOTrainer(model)
    replies = [[first, second] for first in range(VOCABULARY) for second in range(VOCABULARY)]
    with torch.no_grad():
        scores = trainer.score(model, *pad([[2, 3]] * len(replies), replies))
    close(scores.exp().sum().item(), 1.0)


def test_unlikely_tokens_get_a_gradient(module):
    """The gradient of a token's score by its own logit is 1 - p, however small p is."""
    logits = torch.zeros(1, 2, 4)
    logits[0, 0, 3] = -8.0
    logits.requires_grad_()
    trainer = module.DPOTrainer(small_model())
    trainer.score(
        lambda _: SimpleNamespace(logits=logits), torch.tensor([[1, 3]]), torch.tensor([[False, True]])
    ).sum().backward()
    close(logits.grad[0, 0, 3].item(), 1 - math.exp(-8) / (3 + math.exp(-8)))


def test_score_skips_prompt_and_padding(module):
    model = small_model()
    trainer = module.DPOTrainer(model)
    with torch.no_grad():
        alone = trainer.score(model, *pad([[2, 3]], [[5, 1]])).item()
        beside = trainer.score(model, *pad([[2, 3], [2]], [[5, 1], [6] * 9]))[0].item()
    close(alone, beside, 1e-5)


def test_loss_is_the_dpo_loss(module):
    """Policy and reference differ here, so every factor of the loss counts."""
    for beta in (0.05, 0.1, 0.5, 2.0):
        trainer = module.DPOTrainer(small_model(), beta=beta)
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


def test_metrics_tell_the_preference(module):
    """Mean probability and accuracy follow from the rewards of each pair."""
    trainer = module.DPOTrainer(small_model(), beta=0.1)
    deployed = copy.deepcopy(trainer.policy)
    with torch.no_grad():
        for parameter in trainer.policy.parameters():
            parameter.mul_(1.1)
    _, metrics = trainer.compute_loss(collate(PAIRS))
    losses = [expected(trainer.policy, deployed, 0.1, [pair])[0] for pair in PAIRS]
    close(metrics["preference_prob"], sum(math.exp(-loss) for loss in losses) / len(losses))
    close(metrics["accuracy"], sum(loss < math.log(2) for loss in losses) / len(losses))


def test_gradient_is_that_of_the_dpo_loss(module):
    """A small step along the gradient lowers the loss by as much as the gradient says."""
    trainer = module.DPOTrainer(small_model(), beta=0.3)
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


def test_larger_beta_stays_closer_to_the_deployed_model(module):
    """The same updates with a larger beta end nearer to where they started."""
    far, near = (distance(*trained(module, beta, steps=60)[:2]) for beta in (0.1, 2.0))
    assert near < 0.8 * far, f"{near} nats with beta 2.0, {far} with beta 0.1"


TESTS = [test for name, test in list(globals().items()) if name.startswith("test_")]


def load(path):
    spec = importlib.util.spec_from_file_location("exercise_under_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def failures(path):
    """Return what failed: the tests' names, and why."""
    torch.set_num_threads(1)
    module = load(path)
    found = {}
    for test in TESTS:
        random.seed(0)
        torch.manual_seed(0)
        try:
            test(module)
        except Exception as error:
            found[test.__name__] = "".join(traceback.format_exception_only(error)).strip()
    return found


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.splitlines()[0])
        return 2
    found = failures(Path(arguments[0]))
    for test in TESTS:
        print(
            f"{'FAILED' if test.__name__ in found else 'passed'}  {test.__name__}  {found.get(test.__name__, '')}".rstrip()
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
