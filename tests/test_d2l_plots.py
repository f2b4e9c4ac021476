"""The book's curves and plots, in a script and in a notebook, and its residual blocks."""

import pytest
import torch
from PIL import Image
from torch import nn

from holmdel import d2l
from holmdel.errors import UserError

PICTURES = torch.rand(4, 3, 6, 6)


@pytest.fixture(autouse=True)
def no_figures():
    """Leaves no figure open, and none of its settings."""
    with d2l.plt.rc_context():
        yield
    d2l.plt.close("all")


@pytest.fixture
def notebook():
    """A notebook's shell, and what was displayed in it."""
    pytest.importorskip("IPython", reason="needs IPython, which a notebook brings")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance().kernel = None  # a notebook is told by its kernel
    with capture_output() as captured:
        yield captured
    InteractiveShell.clear_instance()


def ink(path):
    """Returns the part of a picture that is not white."""
    grey = Image.open(path).convert("L")
    return sum(grey.histogram()[:250]) / (grey.width * grey.height)


def test_in_a_script_an_animator_keeps_its_points_and_draws_when_asked(tmp_path):
    animator = d2l.Animator(xlabel="epoch", xlim=[1, 3], legend=["loss", "train acc", "test acc"])
    assert animator.X is None
    animator.add(0.5, (2.0, 0.1, None))
    animator.add(1, (None, None, 0.2))
    animator.add(1.5, (1.0, 0.5, None))
    assert animator.X == [[0.5, 1.5], [0.5, 1.5], [1]]
    assert animator.Y == [[2.0, 1.0], [0.1, 0.5], [0.2]]
    assert d2l.plt.get_fignums() == []  # no window
    assert len(animator.fig.axes[0].lines) == 3
    animator.save(tmp_path / "curves.png")
    assert ink(tmp_path / "curves.png") > 0.02
    with pytest.raises(UserError, match=r"saved as .*curves\.txt'; expected a name that ends in"):
        animator.save(tmp_path / "curves.txt")


def test_in_a_script_the_curves_are_pyplots_figure_after_a_training(tmp_path):
    data = [(torch.rand(8, 1, 4, 4), torch.arange(8))] * 6
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 8))
    for _ in range(2):  # the newest curves, one figure however many trainings
        d2l.train_ch6(net, data, data, 2, 0.1, d2l.cpu())
    assert len(d2l.plt.get_fignums()) == 1
    assert [len(line.get_xdata()) for line in d2l.plt.gca().lines] == [12, 12, 2]
    d2l.plt.savefig(tmp_path / "curves.png")
    assert ink(tmp_path / "curves.png") > 0.02


def test_config_axes_sets_what_the_animator_was_given():
    animator = d2l.Animator(xlabel="epoch", xlim=[1, 3])
    animator.axes[0].cla()
    animator.config_axes()
    assert animator.axes[0].get_xlabel() == "epoch"
    assert animator.axes[0].get_xlim() == (1, 3)


def test_an_animator_takes_one_value_and_many_axes():
    animator = d2l.Animator(nrows=2, ncols=2, fmts=["-"], figsize=(4, 4))
    assert len(animator.axes) == 4
    animator.add(1, 5)
    animator.add([2], [6])
    assert (animator.X, animator.Y) == ([[1, 2]], [[5, 6]])


def test_another_number_of_lines_is_told():
    animator = d2l.Animator()
    animator.add(1, (1, 2))
    with pytest.raises(UserError, match=r"point with 3 x and 3 y was added to 2 lines; .* a line"):
        animator.add(2, (1, 2, 3))
    with pytest.raises(UserError, match=r"was given 2 lines of X and 3 of Y; .* or one X for all"):
        d2l.plot([[1, 2], [1, 2]], [[1, 2], [1, 2], [1, 2]])


def test_in_a_notebook_an_animator_redraws_in_place(notebook):
    animator = d2l.Animator(xlabel="epoch", legend=["loss"])
    animator.add(1, 0.9)
    animator.add(2, 0.5)
    first, second = (output.data["image/svg+xml"] for output in notebook.outputs)
    assert first.lstrip().startswith("<?xml")
    assert first != second
    assert [output.update for output in notebook.outputs] == [False, True]


@pytest.mark.parametrize(("batches", "points"), [(3, 3), (20, 5)])
def test_in_a_notebook_train_ch6_draws_five_points_an_epoch(notebook, batches, points):
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    data = [(torch.rand(2, 1, 2, 2), torch.tensor([0, 1]))] * batches
    d2l.train_ch6(net, data, data, 1, 0.1, d2l.cpu())
    assert len(notebook.outputs) == points + 1  # and the test accuracy


def test_in_a_notebook_a_board_redraws_and_figures_are_svg(notebook):
    d2l.set_figsize((3, 2))
    assert list(d2l.plt.rcParams["figure.figsize"]) == [3, 2]
    board, hidden = d2l.ProgressBoard(xlabel="x"), d2l.ProgressBoard(display=False)
    for x in range(4):
        board.draw(x, x**2, "square", every_n=2)
        hidden.draw(x, x, "line")
    assert len(notebook.outputs) == 2
    assert board.data["square"] == [(0.5, 0.5), (2.5, 6.5)]  # the means of two


def test_a_board_is_saved(tmp_path):
    board = d2l.ProgressBoard(xlim=[0, 2], ylim=[0, 5], yscale="linear")
    for x in range(3):
        board.draw(x, torch.tensor(x**2), "square")
        board.draw(x, 2 * x, "double")
    board.save(tmp_path / "board.svg")
    assert (tmp_path / "board.svg").read_bytes().startswith(b"<?xml")
    axes = d2l.plt.figure().gca()
    on_mine = d2l.ProgressBoard(fig=axes.figure, axes=axes)
    on_mine.draw(1, 1, "dot")
    on_mine.save(tmp_path / "mine.png")
    assert len(axes.lines) == 1


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (([1, 2, 3],), 1),
        ((torch.arange(3.0, requires_grad=True), [1, 4, 9]), 1),
        (([1, 2, 3], [[1, 4, 9], [1, 8, 27]]), 2),
        (([[1, 2], [1, 2, 3]], [[1, 4], [1, 8, 27]]), 2),
        (([[1, 2], [3, 4]],), 2),
    ],
)
def test_plot_draws_lines(given, lines):
    d2l.plot(
        *given, xlabel="x", ylabel="f(x)", legend=["a", "b"][:lines], xlim=[0, 3], figsize=(4, 3)
    )
    axes = d2l.plt.gca()
    assert len(axes.lines) == lines
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xlim()) == ("x", "f(x)", (0, 3))
    assert len(axes.get_legend().texts) == lines


def test_images_are_shown_in_a_grid():
    pictures = torch.rand(3, 28, 28)
    axes = d2l.show_images(pictures, 1, 3, titles=["a", "b", "c"], scale=1)
    assert [place.get_title() for place in axes] == ["a", "b", "c"]
    assert len(d2l.show_images([Image.new("L", (4, 4))], 1, 1)) == 1
    assert len(d2l.show_images(torch.rand(4, 1, 5, 5), 2, 2)) == 4


def test_predictions_are_titled_with_truth_and_answer():
    batch = (torch.rand(8, 1, 40, 40), torch.arange(8))

    def always_boots(pictures):
        return nn.functional.one_hot(torch.full((len(pictures),), 9), 10)

    d2l.predict_ch3(always_boots, [batch], n=3)
    titles = [axes.get_title() for axes in d2l.plt.gcf().axes]
    assert titles == ["t-shirt\nankle boot", "trouser\nankle boot", "pullover\nankle boot"]


# Residual blocks


@pytest.mark.parametrize(
    ("earlier", "current"),
    [
        (d2l.Residual(3, 3), d2l.Residual(3)),
        (d2l.Residual(3, 6, True, 2), d2l.Residual(6, True, 2)),
        (
            d2l.Residual(3, 6, use_1x1conv=True, strides=2),
            d2l.Residual(6, use_1x1conv=True, strides=2),
        ),
        (
            d2l.Residual(input_channels=3, num_channels=6, use_1x1conv=True),
            d2l.Residual(num_channels=6, use_1x1conv=True),
        ),
        (d2l.Residual(3, num_channels=3), d2l.Residual(num_channels=3)),
    ],
)
def test_both_signatures_of_a_residual_block(earlier, current):
    assert (
        earlier(PICTURES).shape == current(PICTURES).shape
    )  # the current one finds its channels here
    current.load_state_dict(earlier.state_dict())
    assert torch.equal(earlier.eval()(PICTURES), current.eval()(PICTURES))


def test_a_residual_block_by_hand():
    block = d2l.Residual(3, 3).eval()
    nn.init.zeros_(block.conv2.weight)
    nn.init.zeros_(block.conv2.bias)
    assert torch.equal(
        block(PICTURES - 0.5), (PICTURES - 0.5).relu()
    )  # nothing to add: the input, rectified


def test_resnets():
    assert d2l.resnet18(10)(torch.rand(2, 1, 16, 16)).shape == (2, 10)
    parameters = sum(p.numel() for p in d2l.resnet18(10, 3).parameters())
    assert parameters == 11_176_970  # by hand
    assert d2l.ResNeXtBlock(32, 16, 1)(torch.rand(2, 32, 8, 8)).shape == (2, 32, 8, 8)
    halved = d2l.ResNeXtBlock(8, 2, 0.5, use_1x1conv=True, strides=2)
    assert halved(torch.rand(2, 4, 8, 8)).shape == (2, 8, 4, 4)
