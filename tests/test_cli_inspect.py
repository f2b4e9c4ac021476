"""`holmdel inspect`: the table, JSON, Markdown, the drawing, and errors."""

import json
import xml.etree.ElementTree as ET

import pytest

import holmdel as library


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def test_the_table_of_lenet(holmdel):
    done = holmdel("inspect", "lenet")
    first, _, heads, *rows, total = done.out.splitlines()
    assert done.status == 0
    assert first == "lenet, input 1x28x28"
    assert heads.split()[:4] == ["name", "kind", "output", "parameters"]
    cells = ["c3", "Conv2d", "5x5", "16x10x10", "2,416", "241,600", "240,000", "14/2/-2"]
    assert rows[3].split()[:8] == cells
    assert total.split() == ["total", "61,706", "423,038", "416,520", "60.0", "KB"]
    ends = {line.rindex(line.split()[-4]) + len(line.split()[-4]) for line in (rows[0], rows[3])}
    assert len(ends) == 1  # numbers are flush right


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (["googlenet"], "5,977,530"),
        (["vgg16", "--input", "3x224x224", "--classes", "1000"], "138,357,544"),
        (["alexnet", "--lrn"], "46,764,746"),
        (["lenet5-1998"], "60,000"),
    ],
)
def test_tables_fit_into_100_columns(holmdel, words, last):
    lines = holmdel("inspect", *words).out.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[-1].split()[1] == last
    assert not any("…" in line for line in lines)


def test_a_narrow_terminal_cuts_nothing(holmdel, monkeypatch):
    whole = [line.split() for line in holmdel("inspect", "googlenet").out.splitlines()]
    monkeypatch.setenv("COLUMNS", "40")
    assert [line.split() for line in holmdel("inspect", "googlenet").out.splitlines()] == whole


def test_branches_are_a_tree(holmdel):
    lines = holmdel("inspect", "googlenet").out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("inception3a"))
    names = [line[:15].rstrip() for line in lines[start : start + 19]]
    assert names == [
        "inception3a",
        "├ path1", "│ ├ conv", "│ └ conv_relu",
        "├ path2", "│ ├ reduce", "│ ├ reduce_relu", "│ ├ conv", "│ └ conv_relu",
        "├ path3", "│ ├ reduce", "│ ├ reduce_relu", "│ ├ conv", "│ └ conv_relu",
        "├ path4", "│ ├ pool", "│ ├ conv", "│ └ conv_relu",
        "└ cat",
    ]  # fmt: skip
    assert lines[start].split() == ["inception3a", "Inception", "256x12x12"]


def test_json_is_what_python_gives(holmdel):
    done = holmdel("inspect", "nin", "--json", "--width", "0.5")
    assert json.loads(done.out) == library.inspect("nin", width=0.5).to_json()
    assert done.err == ""


def test_markdown_has_a_row_a_layer(holmdel):
    done = holmdel("inspect", "lenet-1989", "--markdown")
    lines = done.out.splitlines()
    assert lines[0].startswith("| name | kind | output | parameters | connections | MACs |")
    assert len(lines) == 2 + 11 + 1
    assert "| h1 | TableConv2d 5x5, stride 2 | 12x8x8 | 1,068 | 19,968 | 19,200 |" in done.out
    assert lines[-1].startswith("| total |  |  | 9,760 | 64,660 |")


def test_a_model_brings_its_input(holmdel, run_folder):
    assert holmdel("inspect", run_folder).out == holmdel("inspect", "lenet").out


def test_the_drawing_is_written(holmdel, tmp_path):
    path = tmp_path / "new" / "lenet.svg"
    done = holmdel("inspect", "lenet", "--svg", path)
    assert done.out == f"wrote {path}\n"
    assert ET.parse(path).getroot().tag.endswith("svg")
    assert [file.name for file in path.parent.iterdir()] == ["lenet.svg"]


def test_json_and_a_drawing_go_together(holmdel, tmp_path):
    done = holmdel("inspect", "lenet", "--json", "--svg", tmp_path / "lenet.svg")
    assert json.loads(done.out)["totals"]["parameters"] == 61_706
    assert done.err.startswith("wrote ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["vgg17"], "there is no network or model vgg17; networks are lenet, lenet-max"),
        (["lenet", "--depth", "3"], "No such option: --depth"),
        (["lenet", "--input", "28x28"], "an input size was given as '28x28'; expected CxHxW"),
        (["vgg16", "--input", "1x10x10"], "5 poolings that halve it leave nothing"),
        (["lenet", "--classes", "x"], "classes was given as 'x'; expected a whole number"),
        (["lenet", "--json", "--markdown"], "--json and --markdown were given together; choose"),
        (
            ["lenet", "--svg", "/dev/null/x.svg"],
            "/dev/null is a file; expected a folder to write",
        ),
    ],
)
def test_mistakes_are_told(holmdel, words, sentence):
    done = holmdel("inspect", *words)
    assert done.status == 2
    assert sentence in done.err
    assert done.out == ""


def test_a_network_in_a_file_of_ones_own(holmdel, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\n"
        "def net(classes=7):\n"
        "    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, classes))\n"
    )
    done = holmdel("inspect", f"{file}:net", "--input", "1x8x8", "--classes", "3")
    assert done.out.splitlines()[0] == "net, input 1x8x8"
    assert done.out.splitlines()[-1].split()[1] == f"{4 * (9 + 1) + (144 + 1) * 3}"
    assert "say what net sees: --input CxHxW" in holmdel("inspect", f"{file}:net").err
    words = ("inspect", f"{file}:net", "--input", "1x8x8", "--width", "2")
    assert "the options width are not for a network of one's own" in holmdel(*words).err
    assert "there is no file" in holmdel("inspect", f"{tmp_path}/other.py:net").err
