import pytest
from spanlib import Span, format_span, format_time, parse_span, parse_time
from spanlib.clock import format_length


@pytest.mark.parametrize("text,minute", [("00:00", 0), ("9:05", 545), ("23:59", 1439), ("\t12:30\n", 750)])
def test_parse_time(text, minute):
    assert parse_time(text) == minute


def test_end_of_day():
    assert parse_time("24:00") == 1440


@pytest.mark.parametrize("text", ["", "12", "12:5", "ab:cd", "12:60"])
def test_bad_times(text):
    with pytest.raises(ValueError):
        parse_time(text)


@pytest.mark.parametrize("text", ["24:01", "25:00", "24:30"])
def test_later_than_the_day(text):
    with pytest.raises(ValueError):
        parse_time(text)


def test_parse_span():
    assert parse_span("09:00-10:30") == Span(540, 630)
    assert parse_span("09:00 - 10:30") == Span(540, 630)


@pytest.mark.parametrize("text", ["09:00", "10:00-09:00", "09:00-"])
def test_bad_spans(text):
    with pytest.raises(ValueError):
        parse_span(text)


def test_round_trip():
    assert format_span(parse_span("08:05-24:00")) == "08:05-24:00"


def test_format_time_outside():
    with pytest.raises(ValueError):
        format_time(1441)


@pytest.mark.parametrize(
    "minutes,text", [(45, "45m"), (60, "1h"), (65, "1h 05m"), (150, "2h 30m")], ids=["m", "h", "both", "more"]
)
def test_format_length(minutes, text):
    assert format_length(minutes) == text


def test_format_no_length():
    assert format_length(0) == "0m"
