"""What follows from what execution showed: errors are proved, refuted or undecided, and corrections hold or do not."""

from __future__ import annotations

from typing import Any

import pytest

import answers
from errorspan.answers.outputs import Assessment
from errorspan.proof.deciding import decided
from errorspan.proof.proofs import Bound, Failed, Proof, Variant

BOUND = Bound(exercise="", tests="", implementations="")
TESTS = ["counts", "top", "mean"]
NAME = Failed(message="NameError: name 'totals' is not defined", error="NameError")
WRONG = Failed(message="AssertionError: assert 1 == 2")


def variant(*failed: str, how: Failed = WRONG, **more: Any) -> Variant:
    """Return a variant on which these tests fail."""
    return Variant(passed=len(TESTS) - len(failed), failed=dict.fromkeys(failed, how), **more)


GOOD = {
    "corrected": variant(),
    "shown": variant(*TESTS),
    **{f"error-{number}": variant(test) for number, test in enumerate(TESTS, 1)},
    **{f"correction-{number}": variant(*TESTS) for number in (1, 2, 3)},
}


def told(description: str = "", **more: Any) -> dict[str, Any]:
    """Return an assessment whose second error says this of itself."""
    errors = [dict(error) for error in answers.ASSESSMENT["errors"]]
    errors[1]["description"] = description or errors[1]["description"]
    return {**answers.ASSESSMENT, "errors": errors, **more}


def verdicts(variants: dict[str, Variant], description: str = "", **proof: Any) -> tuple[list[str], str, list[str]]:
    """Return the verdicts, why the second error has its own, and what is said against the corrections."""
    seen = Proof(
        at="2026-01-31",
        bound=BOUND,
        python="3",
        packages={},
        sandbox="none",
        tests=TESTS,
        variants={**GOOD, **variants},
        **proof,
    )
    said = decided(seen, Assessment.model_validate(told(description)))
    return [one.verdict for one in said.outcomes.values()], said.outcomes["2"].why, [flaw.what for flaw in said.flaws]


def test_errors_that_hide_each_other_are_proved_on_the_program_without_the_others() -> None:
    assert verdicts({}) == (["proved"] * 3, "error 2, left in alone, fails top", [])


def test_a_proof_repeats_another_in_whatever_order_its_tests_ran() -> None:
    shared = {"at": "2026-01-31", "bound": BOUND, "python": "3", "packages": {}, "sandbox": "none"}
    seen = Proof(**shared, tests=TESTS, variants=GOOD)
    assert seen.repeats(Proof(**shared, tests=TESTS[::-1], variants=GOOD))
    assert not seen.repeats(Proof(**shared, tests=TESTS[1:], variants=GOOD))
    assert not seen.repeats(Proof(**shared, tests=TESTS, variants=GOOD | {"error-2": GOOD["error-1"]}))


@pytest.mark.parametrize(
    ("alone", "proof", "verdict", "why"),
    [
        ({}, {}, "refuted", "error 2, left in alone, fails no test"),
        ({"erred": {"top": WRONG}}, {}, "undecided", "error 2, left in alone: top errs itself (AssertionError"),
        ({"unplayed": ["top"]}, {}, "undecided", "top had no turn, or was skipped"),
        ({"skipped": ["top"]}, {}, "undecided", "top had no turn, or was skipped"),
        ({}, {"unstable": ["top"]}, "undecided", "error 2: top does not end the same way each time"),
    ],
)
def test_only_what_tests_really_say_refutes(alone: Any, proof: Any, verdict: str, why: str) -> None:
    found, said, flaws = verdicts({"error-2": variant(**alone)}, **proof)
    assert found[1] == verdict
    assert why in said
    assert not flaws


def test_an_unstable_test_proves_nothing() -> None:
    found, _, _ = verdicts({}, unstable=["top"])
    assert found == ["proved", "undecided", "proved"]


def test_a_correction_that_mends_is_no_refutation_where_another_mends_the_same() -> None:
    found, why, _ = verdicts({"error-2": variant(), "correction-2": variant("counts", "mean")})
    assert found == ["proved", "undecided", "proved"]
    assert "its correction alone mends top: another correction mends it, too" in why


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("Sorts by name.", "undecided"),
        ("Raises a NameError at the first call.", "proved"),
        ("`totals` is never defined here.", "proved"),
        ("`totals` is sorted by name, and `n` is not defined.", "undecided"),
        ("The order is undefined.", "undecided"),
    ],
)
@pytest.mark.parametrize("loads", [True, False])
def test_a_program_that_does_not_run_proves_only_what_says_so(claim: str, verdict: str, *, loads: bool) -> None:
    alone = variant(*TESTS, how=NAME) if loads else variant(*TESTS, how=NAME, unloaded=NAME.message)
    found, why, _ = verdicts({"error-2": alone}, claim)
    assert found == ["proved", verdict, "proved"]
    assert NAME.message in why


def test_corrections_that_need_each_other_are_tried_together() -> None:
    broken = variant(*TESTS, how=NAME, unloaded=NAME.message)
    found, why, _ = verdicts({"error-2": broken, "errors-2-3": variant("top", "mean")}, "Sorts by name.")
    assert found == ["proved"] * 3
    assert why == "error 2 fails top where error 3 is left in, too"
    found, why, _ = verdicts({"error-2": broken, "errors-2-3": variant("mean")}, "Sorts by name.")
    assert found[1] == "undecided"


def test_one_type_error_beside_other_failures_is_evidence() -> None:
    mixed = Variant(passed=1, failed={"top": Failed(message="TypeError: x", error="TypeError")})
    assert verdicts({"error-2": mixed})[0] == ["proved"] * 3


def test_a_correction_that_breaks_what_worked_is_named_and_refutes_no_error() -> None:
    tests = {"corrected": variant("mean"), "shown": variant("counts", "top"), "error-1": variant("counts", "mean")}
    found, _, flaws = verdicts({**tests, "error-2": variant("top")}, "")
    assert found == ["proved", "proved", "undecided"]
    said = "with the correction of error 2 the program fails mean, which the program as shown passes"
    assert flaws == [f"{said}: AssertionError: assert 1 == 2"]


def test_what_no_correction_mends_is_a_fault_of_the_key() -> None:
    wrong = {name: variant(*{*kept.failed, "mean"}) for name, kept in GOOD.items()}
    found, _, flaws = verdicts(wrong)
    assert found == ["proved", "proved", "undecided"]
    assert flaws == ["the corrected program fails mean: AssertionError: assert 1 == 2"]


def test_format_1_keeps_its_meaning() -> None:
    masked = {f"correction-{number}": variant(*TESTS) for number in (1, 2, 3)}
    found, why, _ = verdicts(masked, format=1)
    assert found == ["refuted"] * 3
    assert why == "correcting error 2 alone makes no failing test pass"
    mending = {
        f"correction-{number}": variant(*(one for one in TESTS if one != test)) for number, test in enumerate(TESTS, 1)
    }
    assert verdicts(mending, format=1)[0] == ["proved"] * 3
    known = '{"passed": 0, "failed": {"top": "AssertionError: assert 1 == 2"}}'
    assert Variant.model_validate_json(known).failed["top"] == WRONG


@pytest.mark.parametrize(
    ("got", "expected", "told"),
    [
        ("'a b'", "'a c'", ("'a b'", "'a c'")),
        ("'a  b'", "'a b'", ("'a␣␣b'", "'a␣b'")),
        ("'caf\u00e9'", "'cafe\u0301'", ("'caf⟨U+00E9⟩'", "'cafe⟨U+0301⟩'")),
        ("'ﬁt'", "'fit'", ("'⟨U+FB01⟩t'", "'fit'")),
        ("'❤\ufe0f'", "'❤'", ("'⟨U+2764⟩⟨U+FE0F⟩'", "'⟨U+2764⟩'")),
        ("'é'", "'e'", ("'é'", "'e'")),
        ("1", "1", ("1", "1")),
    ],
)
def test_values_that_only_look_the_same_are_told_apart(got: str, expected: str, told: tuple[str, str]) -> None:
    values = Failed(message="m", input="x", got=got, expected=expected).values
    assert (values["got"], values["expected"]) == told
    assert Failed(message="m").values == {}
