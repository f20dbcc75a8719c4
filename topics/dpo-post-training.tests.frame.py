"""A small stand-in for torch: the tensor operations that a DPO trainer and its tests use, with gradients, and no more.

Numbers have Python's precision, whatever torch's would be; the type of a tensor is that of its first element.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import operator
import sys
import types


class Tensor:
    """Numbers in rows, and how a gradient goes back to the tensors that they were computed from."""

    recording = True

    def __init__(self, data, shape, parents=(), back=None):
        self.data, self.shape, self.grad = data, tuple(shape), None
        recorded = Tensor.recording and any(parent.requires_grad for parent in parents)
        self.requires_grad = recorded
        self.parents, self.back = (parents, back) if recorded else ((), None)

    def __repr__(self):
        return f"tensor({self.tolist()})"

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def item(self):
        (number,) = self.data
        return number

    def tolist(self):
        nested = self.data
        for size in reversed(self.shape):
            nested = [nested[start : start + size] for start in range(0, len(nested), size)]
        return nested[0]

    def detach(self):
        return Tensor(self.data, self.shape)

    def clone(self):
        return self.picked(range(len(self.data)), self.shape)

    def requires_grad_(self, wanted=True):
        self.requires_grad = wanted
        return self

    def backward(self):
        """Add to the `grad` of each leaf how much this number changes with it."""
        order, seen = [], set()

        def visit(tensor):
            if id(tensor) not in seen and tensor.requires_grad:
                seen.add(id(tensor))
                for parent in tensor.parents:
                    visit(parent)
                order.append(tensor)

        if not self.requires_grad or len(self.data) != 1:
            raise RuntimeError("there is no one number that a gradient could be of")
        visit(self)
        gradients = {id(self): [1.0]}
        for tensor in reversed(order):
            gradient = gradients.pop(id(tensor))
            if tensor.back is None:
                before = [0.0] * len(gradient) if tensor.grad is None else tensor.grad.data
                tensor.grad = Tensor(list(map(operator.add, before, gradient)), tensor.shape)
                continue
            for parent, part in zip(tensor.parents, tensor.back(gradient)):
                if parent.requires_grad:
                    known = gradients.get(id(parent))
                    gradients[id(parent)] = list(map(operator.add, known, part)) if known else part

    # One number out of one number, pair by pair

    def each(self, value, slope):
        """Apply a function to each number; `slope` is its derivative, by the number and by what came out."""
        data = [value(number) for number in self.data]
        return Tensor(
            data,
            self.shape,
            (self,),
            lambda gradient: [[g * slope(x, y) for g, x, y in zip(gradient, self.data, data)]],
        )

    def exp(self):
        return self.each(math.exp, lambda x, y: y)

    def log(self):
        return self.each(lambda x: math.log(x) if x > 0 else -math.inf, lambda x, y: 1 / x)

    def tanh(self):
        return self.each(math.tanh, lambda x, y: 1 - y * y)

    def sigmoid(self):
        return self.each(_sigmoid, lambda x, y: y * (1 - y))

    def __neg__(self):
        return self.each(operator.neg, lambda x, y: -1.0)

    def __pow__(self, power):
        return self.each(lambda x: x**power, lambda x, y: power * x ** (power - 1))

    def pairwise(self, other, value, slopes):
        """Apply a function to each pair of numbers, where a side of size 1 or none goes with all of the other's."""
        other = other if isinstance(other, Tensor) else Tensor([other], ())
        sizes = itertools.zip_longest(reversed(self.shape), reversed(other.shape), fillvalue=1)
        shape = tuple(max(pair) for pair in sizes)[::-1]
        one, two = self.spread(shape), other.spread(shape)

        def back(gradient):
            return [[g * slope(x, y) for g, x, y in zip(gradient, one.data, two.data)] for slope in slopes]

        return Tensor(list(map(value, one.data, two.data)), shape, (one, two), back)

    def __add__(self, other):
        return self.pairwise(other, operator.add, (lambda x, y: 1.0, lambda x, y: 1.0))

    def __sub__(self, other):
        return self.pairwise(other, operator.sub, (lambda x, y: 1.0, lambda x, y: -1.0))

    def __mul__(self, other):
        return self.pairwise(other, operator.mul, (lambda x, y: y, lambda x, y: x))

    def __truediv__(self, other):
        return self.pairwise(other, operator.truediv, (lambda x, y: 1 / y, lambda x, y: -x / (y * y)))

    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, number):
        return Tensor([x > number for x in self.data], self.shape)

    def __invert__(self):
        return Tensor([not x for x in self.data], self.shape)

    def float(self):
        return Tensor([float(x) for x in self.data], self.shape)

    def masked_fill(self, mask, number):
        keep = [not covered for covered in mask.spread(self.shape).data]
        data = [x if kept else number for x, kept in zip(self.data, keep)]
        return Tensor(data, self.shape, (self,), lambda gradient: [list(map(operator.mul, gradient, keep))])

    # The same numbers in other places

    def picked(self, places, shape):
        """Return the numbers in these places; a number may be picked often, or never."""

        def back(gradient):
            total = [0.0] * len(self.data)
            for place, g in zip(places, gradient):
                total[place] += g
            return [total]

        return Tensor([self.data[place] for place in places], shape, (self,), back)

    def spread(self, shape):
        """Repeat what has size 1 until the shape is this one."""
        if self.shape == tuple(shape):
            return self
        places, step = [0], len(self.data)
        own = (1,) * (len(shape) - len(self.shape)) + self.shape
        for size, wanted in zip(own, shape, strict=True):
            if size not in (1, wanted):
                raise RuntimeError(f"the sizes {self.shape} and {shape} do not go together")
            step //= size
            places = [place + step * (i if size > 1 else 0) for place in places for i in range(wanted)]
        return self.picked(places, shape)

    def __getitem__(self, at):
        at = at if isinstance(at, tuple) else (at,)
        places, shape = [0], []
        for size, part in itertools.zip_longest(self.shape, at, fillvalue=slice(None)):
            chosen = range(size)[part]
            if isinstance(chosen, range):
                shape.append(len(chosen))
            else:
                chosen = [chosen]
            places = [place * size + i for place in places for i in chosen]
        return self.picked(places, shape)

    def unsqueeze(self, dim):
        _last(dim)
        return self.picked(range(len(self.data)), (*self.shape, 1))

    def squeeze(self, dim):
        _last(dim)
        return self.picked(range(len(self.data)), self.shape[:-1] if self.shape[-1] == 1 else self.shape)

    def gather(self, dim, index):
        _last(dim)
        width, wanted = self.shape[-1], index.shape[-1]
        return self.picked([k // wanted * width + _whole(i) for k, i in enumerate(index.data)], index.shape)

    # Many numbers into one

    def sum(self, dim=None, keepdim=False):
        if dim is None:
            return Tensor([math.fsum(self.data)], (), (self,), lambda gradient: [gradient * len(self.data)])
        _last(dim)
        width = self.shape[-1]
        data = [sum(self.data[start : start + width]) for start in range(0, len(self.data), width)]
        shape = (*self.shape[:-1], 1) if keepdim else self.shape[:-1]
        return Tensor(data, shape, (self,), lambda gradient: [[g for g in gradient for _ in range(width)]])

    def mean(self):
        return self.sum() / len(self.data)

    def cumsum(self, dim):
        """Return running sums over the second of three dimensions."""
        if dim != 1 or len(self.shape) != 3:
            raise NotImplementedError("this stand-in has running sums over the second of three dimensions only")
        _, length, width = self.shape

        def run(data, backwards):
            total = list(data)
            for start in range(0, len(data), length * width):
                block = total[start : start + length * width]
                for column in range(width):
                    steps = block[column::width][::backwards]
                    block[column::width] = list(itertools.accumulate(steps))[::backwards]
                total[start : start + length * width] = block
            return total

        return Tensor(run(self.data, 1), self.shape, (self,), lambda gradient: [run(gradient, -1)])

    # In place, where nothing is recorded

    def mul_(self, factor):
        self.data[:] = [x * factor for x in self.data]
        return self

    def add_(self, other):
        self.data[:] = map(operator.add, self.data, other.data)
        return self


class Parameter(Tensor):
    """A tensor that a module learns."""

    def __init__(self, data):
        super().__init__(list(data.data), data.shape)
        self.requires_grad = True


class Module:
    """What has parameters, itself or in its parts, and can be called."""

    training = True

    def __call__(self, *given):
        return self.forward(*given)

    def named_parameters(self):
        for name, part in vars(self).items():
            if isinstance(part, Parameter):
                yield name, part
            elif isinstance(part, Module):
                yield from ((f"{name}.{inner}", parameter) for inner, parameter in part.named_parameters())

    def parameters(self):
        return (parameter for _, parameter in self.named_parameters())

    def zero_grad(self):
        for parameter in self.parameters():
            parameter.grad = None

    def eval(self):
        self.training = False
        return self


class AdamW:
    """Adam with decoupled weight decay, by Loshchilov and Hutter, with torch's defaults."""

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        self.parameters = list(parameters)
        self.lr, self.betas, self.eps, self.decay = lr, betas, eps, weight_decay
        self.moments = [[[0.0] * len(parameter.data) for _ in range(2)] for parameter in self.parameters]
        self.steps = 0

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None

    def step(self):
        self.steps += 1
        corrections = [1 - beta**self.steps for beta in self.betas]
        for parameter, (first, second) in zip(self.parameters, self.moments):
            for i, g in enumerate([] if parameter.grad is None else parameter.grad.data):
                first[i] += (1 - self.betas[0]) * (g - first[i])
                second[i] += (1 - self.betas[1]) * (g * g - second[i])
                root = math.sqrt(second[i] / corrections[1]) + self.eps
                parameter.data[i] *= 1 - self.lr * self.decay
                parameter.data[i] -= self.lr * first[i] / corrections[0] / root


class no_grad(contextlib.ContextDecorator):
    """Record nothing that a gradient could go back by."""

    def __enter__(self):
        self.before, Tensor.recording = Tensor.recording, False

    def __exit__(self, *_):
        Tensor.recording = self.before


def tensor(values):
    shape, data = [], [values]
    while isinstance(data[0], list | tuple):
        shape.append(len(data[0]))
        data = [value for row in data for value in row]
    if len(data) != math.prod(shape):
        raise ValueError("rows of a tensor have one length")
    return Tensor(data, shape)


def zeros(*shape):
    return Tensor([0.0] * math.prod(shape), shape)


def equal(one, other):
    return (one.shape, one.data) == (other.shape, other.data)


def log_softmax(logits, dim):
    _last(dim)
    width = logits.shape[-1]
    highest = [max(logits.data[start : start + width]) for start in range(0, len(logits.data), width)]
    lowered = logits - Tensor(highest, (*logits.shape[:-1], 1))
    return lowered - lowered.exp().sum(-1, keepdim=True).log()


def softmax(logits, dim):
    return log_softmax(logits, dim).exp()


def logsigmoid(numbers):
    return numbers.each(lambda x: min(x, 0.0) - math.log1p(math.exp(-abs(x))), lambda x, y: _sigmoid(-x))


def embedding(ids, weight):
    width = weight.shape[1]
    return weight.picked([_whole(i) * width + k for i in ids.data for k in range(width)], (*ids.shape, width))


def linear(rows, weight):
    """Return what each row makes with each row of the weight: the sum of the products."""
    out, width = weight.shape
    weights = [weight.data[start : start + width] for start in range(0, out * width, width)]
    given = [rows.data[start : start + width] for start in range(0, len(rows.data), width)]

    def back(gradient):
        parts = [gradient[start : start + out] for start in range(0, len(gradient), out)]
        columns = list(zip(*weights))
        to_rows = [sum(map(operator.mul, part, column)) for part in parts for column in columns]
        by_output, by_input = list(zip(*parts)), list(zip(*given))
        return to_rows, [sum(map(operator.mul, gs, xs)) for gs in by_output for xs in by_input]

    data = [sum(map(operator.mul, row, one)) for row in given for one in weights]
    return Tensor(data, (*rows.shape[:-1], out), (rows, weight), back)


def kl_div(log_probabilities, target, reduction):
    if reduction != "batchmean":
        raise NotImplementedError("this stand-in has the mean over a batch only")
    return (target * (target.log() - log_probabilities)).sum() / len(target)


def _sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _last(dim):
    if dim != -1:
        raise NotImplementedError(f"this stand-in works on the last dimension, -1, only (got {dim})")


def _whole(index):
    if type(index) is not int:
        raise RuntimeError(f"expected whole numbers as indices (got {type(index).__name__})")
    return index


def _module(name, **members):
    made = types.ModuleType(name)
    vars(made).update(members)
    sys.modules[name] = made
    return made


_functional = _module(
    "torch.nn.functional",
    embedding=embedding,
    kl_div=kl_div,
    linear=linear,
    log_softmax=log_softmax,
    logsigmoid=logsigmoid,
    softmax=softmax,
)
_module(
    "torch",
    equal=equal,
    log_softmax=log_softmax,
    nn=_module("torch.nn", Module=Module, Parameter=Parameter, functional=_functional),
    no_grad=no_grad,
    optim=_module("torch.optim", AdamW=AdamW),
    sigmoid=Tensor.sigmoid,
    tanh=Tensor.tanh,
    tensor=tensor,
    zeros=zeros,
)

# errorspan: exercise
