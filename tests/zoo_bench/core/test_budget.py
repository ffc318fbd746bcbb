import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zoo.errors import ZooError
from zoo_bench.core.budget import Budget

UNITS = {
    "images": ["", "k", "M", "images", "kimages", "Mimages"],
    "seconds": ["s", "m", "h"],
    "rounds": ["rounds", "krounds"],
    "flops": ["MFLOP", "GFLOP", "TFLOP", "PFLOP"],
}
NUMBERS = st.decimals(min_value="0.001", max_value=999, places=3).map(lambda number: f"{number:f}")


@st.composite
def texts(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(UNITS)), min_size=1, unique=True))
    return ",".join(draw(NUMBERS) + draw(st.sampled_from(UNITS[kind])) for kind in kinds)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200", Budget(images=200)),
        ("200k", Budget(images=200_000)),
        ("2M", Budget(images=2_000_000)),
        ("1.5M", Budget(images=1_500_000)),
        (".5k", Budget(images=500)),
        ("640images", Budget(images=640)),
        ("90s", Budget(seconds=90)),
        ("0.5s", Budget(seconds=0.5)),
        ("5m", Budget(seconds=300)),
        ("2h", Budget(seconds=7200)),
        ("3000rounds", Budget(rounds=3000)),
        ("3krounds", Budget(rounds=3000)),
        ("7MFLOP", Budget(flops=7e6)),
        ("7GFLOP", Budget(flops=7e9)),
        ("7TFLOP", Budget(flops=7e12)),
        ("5PFLOP", Budget(flops=5e15)),
        ("200k,90s", Budget(images=200_000, seconds=90)),
        (" 2M , 3000rounds,1h,5PFLOP", Budget(images=2e6, seconds=3600, rounds=3000, flops=5e15)),
    ],
)
def test_every_unit_and_join_is_read(text, expected):
    assert Budget.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("200000", "200k"),
        ("2000k", "2M"),
        ("1500", "1500"),
        ("5m", "300s"),
        ("2h,200k", "200k,7200s"),
        ("3krounds", "3000rounds"),
        ("1000TFLOP", "1PFLOP"),
        ("0.5s", "0.5s"),
    ],
)
def test_one_budget_has_one_canonical_text(text, canonical):
    # It enters the run's key, so another text would run everything again.
    assert str(Budget.parse(text)) == canonical


@given(texts())
@example("1.001k")
@example("1.005M")
@settings(deadline=None, derandomize=True, max_examples=200)
def test_the_canonical_text_parses_to_the_same_budget(text):
    budget = Budget.parse(text)
    assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize("text", ["0.0000001s", "1.00000001s"])
def test_the_canonical_text_keeps_every_decimal(text):
    budget = Budget.parse(text)
    assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize("text", ["0", "0k", "0s", "0.0h", "0rounds", "0PFLOP", "200k,0s"])
def test_zero_is_refused_in_one_sentence(text):
    with pytest.raises(ZooError, match=r"must be greater than zero\Z"):
        Budget.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "200k,", "-5", "-200k", "abc", "k", "200x", "200 k", "2e5", "nan", "inf", "5PFLOPS", "5FLOP",
     "5kFLOP", "90S", "200K", "1..5k", "1_000", "90s 2M", "3000 rounds"],
)  # fmt: skip
def test_what_is_no_budget_is_refused_in_one_sentence_that_shows_the_forms(text):
    with pytest.raises(ZooError) as caught:
        Budget.parse(text)
    sentence = str(caught.value)
    assert sentence.startswith(f"budget {text!r} is not understood")
    assert "200k" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "new"),
    [("3000steps", "3000rounds"), ("3ksteps", "3krounds"), ("200k, 1.5ksteps,90s", "200k, 1.5krounds,90s")],
)
def test_steps_are_refused_with_the_form_in_rounds(text, new):
    with pytest.raises(ZooError) as caught:
        Budget.parse(text)
    assert str(caught.value) == f"a budget in steps is written in rounds: {new}"
    Budget.parse(new)


def test_a_limit_too_large_to_be_reached_is_refused():
    with pytest.raises(ZooError):
        Budget.parse("9" * 400)


@pytest.mark.parametrize(
    ("text", "kind"), [("200k,2M", "images"), ("90s,2m", "seconds"), ("3rounds,4rounds", "rounds")]
)
def test_one_kind_twice_is_refused_by_name(text, kind):
    with pytest.raises(ZooError, match=f"limits {kind} twice"):
        Budget.parse(text)
