"""The bench of sketches from end to end, on one place and a story of one panel."""

from anystory.bench import __main__ as command
from anystory.bench import sketch


def test_every_figure_is_measured_against_its_bound(monkeypatch, capsys):
    monkeypatch.setattr(sketch, "PANELS", 1)
    status = command.main(["sketch", "--places", "1"])
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert len(rows) == 9 and all(float(row[1].split()[0]) > 0 for row in rows)
    assert {row[3].strip(" |") for row in rows} <= {"yes", "NO"}
    assert status == any("NO" in row[3] for row in rows)


def test_a_figure_beyond_its_bound_says_so():
    assert str(sketch.Measured("a sketch", 61, 60, "ms")) == "| a sketch | 61 ms | ≤ 60 ms | NO |"
    assert "yes" in str(sketch.Measured("a sketch", 60, 60, "ms"))
