"""Tests of a DPO trainer, from the challenge's words.

Expected values are computed with plain floats, token by token, so that no test shares code with what it tests. What
there is of torch is the program's: the frame beside these tests brings a stand-in for it.
"""

# Tried on 2026-11-28 with torch 2.13.0+cpu too, in a frame that holds only the mark: every test ended the same way on
# every variant and on the weak tier's answer. Figures agree but for the fourth decimal, where torch's 32 bits show.

from __future__ import annotations

import copy
import math
import random
from pathlib import Path
from types import SimpleNamespace

import pytest

VOCABULARY, WIDTH = 12, 6

torch = None


def adapt(tier, code):
    """Take the weak tier's trainer as it is, in the frame; the mid tier's takes texts in place of tensors."""
    if tier == "mid":
        return None
    frame = Path(__file__).with_name("dpo-post-training.tests.frame.py").read_text("utf-8")
    return frame.replace("# errorspan: exercise", code)


@pytest.fixture(autouse=True)
def torch_of_the_program(exercise):
    global torch
    torch = exercise.torch


def small_model(seed=0, sharpness=4.0):
    """Return a causal language model with the call that the exercise expects: what comes next hangs on all before."""
    draw = random.Random(seed)

    class TinyLM(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.head = (
                torch.nn.Parameter(torch.tensor([[draw.gauss(0, 0.6) for _ in range(WIDTH)] for _ in range(VOCABULARY)]))
                for _ in range(2)
            )

        def forward(self, ids):
            so_far = torch.nn.functional.embedding(ids, self.embedding).cumsum(1)
            return SimpleNamespace(logits=sharpness * torch.nn.functional.linear(torch.tanh(so_far), self.head))

    return TinyLM()


def pad(prompts, replies):
    """Return right-padded ids and the mask of reply tokens."""
    width = max(len(prompt) + len(reply) for prompt, reply in zip(prompts, replies, strict=True))
    ids, mask = [], []
    for prompt, reply in zip(prompts, replies, strict=True):
        padding = width - len(prompt) - len(reply)
        ids.append([*prompt, *reply, *[0] * padding])
        mask.append([False] * len(prompt) + [True] * len(reply) + [False] * padding)
    return torch.tensor(ids), torch.tensor(mask)


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


def near(number, tolerance=1e-3):
    return pytest.approx(round(number, 4), rel=tolerance, abs=tolerance)


def rounded(metrics, *names):
    """Return these of the logged numbers, or all, to four places."""
    return {name: round(metrics[name], 4) for name in names or metrics}


def distance(model, deployed, pairs=PAIRS):
    """Return the mean over reply tokens of KL(model || deployed), in nats."""
    ids, mask = pad([prompt for prompt, *_ in pairs for _ in "cr"], [reply for _, *both in pairs for reply in both])
    with torch.no_grad():
        ours, theirs = (torch.log_softmax(either(ids).logits[:, :-1], dim=-1) for either in (model, deployed))
    in_reply = mask[:, 1:].float()
    return ((ours.exp() * (ours - theirs)).sum(dim=-1) * in_reply).sum().item() / in_reply.sum().item()


def move(model, factor):
    """Change a model as no training does, so that policy and reference differ and every factor of the loss counts."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor)


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
    assert rounded(history[0], "loss", "preference_prob") == {"loss": near(math.log(2)), "preference_prob": near(0.5)}


def test_training_changes_the_model_it_was_given(exercise):
    model, deployed, trainer, _ = trained(exercise, beta=0.1, steps=3)
    assert trainer.policy is model
    assert round(distance(model, deployed), 4) > 0


def test_reference_stays_what_was_deployed(exercise):
    """After training the reference still has the weights from before it."""
    _, deployed, trainer, _ = trained(exercise, beta=0.1, steps=3)
    after = zip(trainer.reference.named_parameters(), deployed.parameters(), strict=True)
    assert [name for (name, now), before in after if not torch.equal(now, before)] == []


def test_loss_falls_in_training(exercise):
    *_, history = trained(exercise, beta=0.1, steps=30)
    assert round(history[-1]["loss"], 4) < 0.6
    assert history[-1]["accuracy"] == 1.0


def test_score_is_the_log_probability_of_the_reply(exercise):
    model = small_model()
    trainer = exercise.DPOTrainer(model)
    prompts, replies, _ = zip(*PAIRS, strict=True)
    with torch.no_grad():
        scores = trainer.score(model, *pad(prompts, replies)).tolist()
    wanted = [log_probability(model, prompt, reply) for prompt, reply in zip(prompts, replies, strict=True)]
    assert [round(score, 4) for score in scores] == [near(number) for number in wanted]


def test_probabilities_of_all_replies_add_up_to_one(exercise):
    model = small_model()
    trainer = exercise.DPOTrainer(model)
    replies = [[first, second] for first in range(VOCABULARY) for second in range(VOCABULARY)]
    with torch.no_grad():
        scores = trainer.score(model, *pad([[2, 3]] * len(replies), replies))
    assert round(scores.exp().sum().item(), 4) == near(1.0)


def test_unlikely_tokens_get_a_gradient(exercise):
    """The gradient of a token's score by its own logit is 1 - p, however small p is."""
    logits = torch.tensor([[[0.0, 0.0, 0.0, -8.0], [0.0] * 4]]).requires_grad_()
    trainer = exercise.DPOTrainer(small_model())
    score = trainer.score(
        lambda _: SimpleNamespace(logits=logits), torch.tensor([[1, 3]]), torch.tensor([[False, True]])
    )
    score.sum().backward()
    assert round(logits.grad[0, 0, 3].item(), 4) == near(1 - math.exp(-8) / (3 + math.exp(-8)))


def test_score_skips_prompt_and_padding(exercise):
    model = small_model()
    trainer = exercise.DPOTrainer(model)
    with torch.no_grad():
        alone = trainer.score(model, *pad([[2, 3]], [[5, 1]])).item()
        beside = trainer.score(model, *pad([[2, 3], [2]], [[5, 1], [6] * 9]))[0].item()
    assert round(beside, 4) == near(alone)


@pytest.mark.parametrize("beta", [0.05, 0.1, 0.5, 2.0])
def test_loss_is_the_dpo_loss(exercise, beta):
    """Policy and reference differ here, so every factor of the loss counts."""
    trainer = exercise.DPOTrainer(small_model(), beta=beta)
    deployed = copy.deepcopy(trainer.policy)
    move(trainer.policy, 1.1)
    loss, metrics = trainer.compute_loss(collate(PAIRS))
    wanted, chosen_reward, rejected_reward = map(near, expected(trainer.policy, deployed, beta))
    assert rounded(metrics, "loss", "chosen_reward", "rejected_reward") == {
        "loss": wanted,
        "chosen_reward": chosen_reward,
        "rejected_reward": rejected_reward,
    }
    assert round(loss.item(), 4) == wanted


@pytest.mark.parametrize("beta", [0.1, 0.5])
def test_rewards_follow_from_the_scores(exercise, beta):
    """A reward is beta times what a reply has gained on the deployed model, whatever its scores are."""
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
    assert rounded(metrics, "chosen_reward", "rejected_reward") == {
        "chosen_reward": near(beta * 1.5),
        "rejected_reward": near(beta * 1.0),
    }
    assert round(loss.item(), 4) == near(sum(math.log1p(math.exp(-beta * margin)) for margin in (3.0, -2.0)) / 2)


def test_metrics_tell_the_preference(exercise):
    """Mean probability and accuracy follow from the rewards of each pair."""
    trainer = exercise.DPOTrainer(small_model(), beta=0.1)
    deployed = copy.deepcopy(trainer.policy)
    move(trainer.policy, 1.1)
    _, metrics = trainer.compute_loss(collate(PAIRS))
    losses = [expected(trainer.policy, deployed, 0.1, [pair])[0] for pair in PAIRS]
    assert rounded(metrics, "preference_prob", "accuracy") == {
        "preference_prob": near(sum(math.exp(-loss) for loss in losses) / len(losses)),
        "accuracy": near(sum(loss < math.log(2) for loss in losses) / len(losses)),
    }


def test_gradient_is_that_of_the_dpo_loss(exercise, record_property):
    """A small step along the gradient raises the loss, and one against it lowers it, by what the gradient says."""
    trainer = exercise.DPOTrainer(small_model(), beta=0.3)
    deployed = copy.deepcopy(trainer.policy)
    move(trainer.policy, 1.05)
    loss, _ = trainer.compute_loss(collate(PAIRS))
    trainer.policy.zero_grad()
    loss.backward()
    gradients = [parameter.grad.clone() for parameter in trainer.policy.parameters()]
    length = math.sqrt(sum((gradient**2).sum().item() for gradient in gradients))
    change = []
    for direction in (1, -1):
        moved = copy.deepcopy(trainer.policy)
        with torch.no_grad():
            for parameter, gradient in zip(moved.parameters(), gradients, strict=True):
                parameter.add_(direction * 1e-2 * gradient * (1 / length))
        change.append(expected(moved, deployed, 0.3)[0])
    record_property("input", "the length of the gradient, and how much the loss changes along it")
    assert round(length, 4) == near((change[0] - change[1]) / 2e-2, 2e-2)


def test_larger_beta_stays_closer_to_the_deployed_model(exercise, record_property):
    """The same updates with a larger beta end nearer to where they started."""
    far, close = (round(distance(*trained(exercise, beta, steps=60)[:2]), 4) for beta in (0.1, 2.0))
    record_property("input", "60 updates with beta 0.1, and 60 with beta 2.0")
    record_property("got", f"{far} nats from the deployed model with beta 0.1, {close} with beta 2.0")
    record_property("expected", "with beta 2.0 less than 0.8 times as far as with beta 0.1")
    assert close < 0.8 * far
