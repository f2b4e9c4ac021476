"""`holmdel export --to c`: two files that compile without a warning and answer as it does."""

import ctypes
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from holmdel.checkpoint import Header
from holmdel.classifier import Classifier, load
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.networks import build

STRICT = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]
CORTEX = ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "--specs=rdimon.specs"]
CC = shutil.which("cc")
pytestmark = pytest.mark.skipif(CC is None, reason="needs a C compiler")

MAIN = """
#include "holmdel_model.h"
#include <stdio.h>
int main(void)
{
    static uint8_t image[HOLMDEL_CHANNELS * HOLMDEL_HEIGHT * HOLMDEL_WIDTH];
    float logits[HOLMDEL_CLASSES];
    for (unsigned i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)(i * 37u % 251u);
    holmdel_logits(image, logits);
    for (int i = 0; i < HOLMDEL_CLASSES; i++)
        printf("%.7f\\n", (double)logits[i]);
    return 0;
}
"""


def noise(count, shape):
    chance = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, *shape), generator=chance, dtype=torch.uint8)


def compiled(folder: Path):
    """Returns the library of a folder's C file, which compiles without a warning."""
    command = [CC, *STRICT, "-fPIC", "-shared", "holmdel_model.c", "-o", "model.so", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return ctypes.CDLL(str(folder / "model.so"))


def predict(library, images, classes, function="holmdel_predict"):
    run = getattr(library, function)
    answers = np.zeros((len(images), classes), np.float32)
    for image, answer in zip(images.numpy(), answers, strict=True):
        run(image.ctypes.data_as(ctypes.c_void_p), answer.ctypes.data_as(ctypes.c_void_p))
    return answers


def classifier(network, contract, classes):
    names = ("naïve", *map(str, range(1, classes)))
    header = Header(network="own", options={}, classes=names, image=contract)
    return Classifier(network, header)


def test_two_files_that_answer_as_the_model_does(holmdel, run_folder, tmp_path):
    done = holmdel("export", run_folder, "--to", "c", "--out", tmp_path / "c")
    assert (done.status, done.err) == (0, "")
    assert "64 generated images in " in done.out
    files = sorted(path.name for path in (tmp_path / "c").iterdir())
    assert files == ["export.json", "holmdel_model.c", "holmdel_model.h"]
    images = noise(5, (1, 28, 28))
    found = predict(compiled(tmp_path / "c"), images, 10)
    expected = load(run_folder).logits(images).softmax(1).numpy()
    assert np.abs(found - expected).max() < 1e-6
    head = (tmp_path / "c" / "holmdel_model.h").read_text()
    assert re.search(r"RAM: [\d,]+ bytes, static\. Flash: 247,032 bytes of weights\.", head)
    assert "416,520 multiply-adds an image." in head
    source = (tmp_path / "c" / "holmdel_model.c").read_text()
    assert not re.search(r"\b(malloc|calloc|free)\b", source)
    assert json.loads((tmp_path / "c" / "export.json").read_text())["holmdel_model.c"]["equal"] == 1


@pytest.mark.parametrize("name", ["lenet-max", "nin"])
def test_eight_bits_are_a_quarter_and_nearly_the_same(name, holmdel, tmp_path):
    torch.manual_seed(0)
    options = {"width": 0.1, "size": (96, 96)} if name == "nin" else {}
    size = options.get("size", (28, 28))
    contract = ImageContract(stored=(1, *size), input=(1, *size), framing="fit")
    model = classifier(build(name, **options), contract, 10)
    report = model.export(tmp_path, to="c", quantize=True, tolerance=100.0)
    before, after = report.facts["size"]
    assert after < 0.35 * before
    images = noise(3, (1, *size))
    found = predict(compiled(tmp_path), images, 10, "holmdel_logits")
    expected = model.logits(images).numpy()
    assert 0 < np.abs(found - expected).max() < 0.03 * np.abs(expected).max()
    assert "static const int8_t" in (tmp_path / "holmdel_model.c").read_text()


def test_eight_bits_that_lose_too_much_are_refused(run_folder, tmp_path):
    with pytest.raises(UserError, match=r"points fewer than with float32; --tolerance is -1"):
        load(run_folder).export(tmp_path / "c", to="c", quantize=True, tolerance=-1.0)
    assert not (tmp_path / "c").exists()


class Branches(nn.Module):
    """What a learner may come up with, two branches among it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
        self.average = nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)
        self.deep = nn.Conv2d(12, 12, 3, groups=4, dilation=2, padding=(2, 1))
        self.prelu = nn.PReLU(12)
        self.adaptive = nn.AdaptiveAvgPool2d((2, 3))
        self.dense = nn.Linear(72, 20)
        self.layer = nn.LayerNorm(20)
        self.last = nn.Linear(20, 5, bias=False)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)), inplace=True)
        x = torch.cat([self.pool(x), self.average(x)], 1)
        x = self.adaptive(self.prelu(self.deep(x)) + F.elu(x[:, :, :, :9]))
        x = F.gelu(self.layer(self.dense(x.flatten(1))))
        left, right = x.chunk(2, dim=1)
        x = torch.stack([F.softplus(left), F.hardswish(right) ** 2], 1).amax(1) - right.neg()
        return self.last(torch.cat([x, x.view(-1, 2, 5).permute(0, 2, 1).flatten(1).sigmoid()], 1))


def test_a_learners_own(tmp_path):
    torch.manual_seed(3)
    contract = ImageContract(stored=(3, 15, 21), input=(3, 15, 21), framing="fit", std=0.5)
    model = classifier(Branches(), contract, 5)
    report = model.export(tmp_path, to="c")
    assert report.difference <= 1e-5
    images = noise(3, (3, 15, 21))
    library = compiled(tmp_path)
    found = predict(library, images, 5, "holmdel_logits")
    assert np.abs(found - model.logits(images).numpy()).max() < 1e-5
    names = (ctypes.c_char_p * 5).in_dll(library, "holmdel_classes")
    assert names[0].decode() == "naïve"


@pytest.mark.parametrize(("name", "side"), [("lenet5-1998", 32), ("lenet-1989", 16)])
def test_the_networks_of_the_papers(name, side, tmp_path):
    torch.manual_seed(0)
    way = "pad" if side == 32 else "resize"
    contract = ImageContract(input=(1, side, side), enlarge=way)
    report = classifier(build(name), contract, 10).export(tmp_path, to="c")
    assert report.difference <= 1e-4


@pytest.mark.parametrize("quantize", [False, True])
def test_on_a_microcontroller(run_folder, tmp_path, quantize):
    """Runs on an emulated Cortex-M4, which prints the logits through its debugger."""
    compiler, machine = shutil.which("arm-none-eabi-gcc"), shutil.which("qemu-system-arm")
    if not compiler or not machine:
        pytest.skip("needs arm-none-eabi-gcc and qemu-system-arm")
    load(run_folder).export(tmp_path, to="c", quantize=quantize, tolerance=100.0)
    (tmp_path / "main.c").write_text(START + MAIN)
    (tmp_path / "memory.ld").write_text(MEMORY)
    options = [*STRICT[:-1], *CORTEX, "-nostartfiles", "-T", "memory.ld"]
    command = [compiler, *options, "main.c", "holmdel_model.c", "-o", "m.elf", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    board = [machine, "-M", "mps2-an386", "-nographic", "-semihosting", "-kernel", "m.elf"]
    done = subprocess.run(board, cwd=tmp_path, check=True, capture_output=True, text=True)
    found = [float(line) for line in done.stdout.split()]
    image = (torch.arange(784) * 37 % 251).to(torch.uint8).view(1, 1, 28, 28)
    here = predict(compiled(tmp_path), image, 10, "holmdel_logits")  # also of 8 bits
    assert np.abs(np.array(found) - here).max() < 1e-5
    if not quantize:
        assert np.abs(here - load(run_folder).logits(image).numpy()).max() < 1e-5


START = """
#include <stdint.h>
#include <stdlib.h>
extern uint32_t top_of_stack;
extern void initialise_monitor_handles(void);
int main(void);
void reset(void);
void _init(void);
void _fini(void);
void _init(void) {}
void _fini(void) {}
void reset(void)
{
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* the floating-point unit */
    initialise_monitor_handles();
    exit(main());
}
__attribute__((section(".vectors"), used)) const void *const vectors[2] = {
    &top_of_stack, (const void *)reset};
"""
MEMORY = """
MEMORY { ROM : ORIGIN = 0, LENGTH = 4M RAM : ORIGIN = 0x20000000, LENGTH = 4M }
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > ROM
  .ARM.exidx : { *(.ARM.exidx*) } > ROM
  .data : { *(.data*) } > RAM
  .bss : { *(.bss*) *(COMMON) } > RAM
  end = .;
  top_of_stack = 0x20400000;
}
"""


class Strange(nn.Module):
    def forward(self, x):
        return F.pad(x, (1, 1, 1, 1), mode="reflect")


def test_what_cannot_go_is_named(tmp_path):
    contract = ImageContract()
    network = nn.Sequential(Strange(), nn.Flatten(), nn.Linear(900, 3))
    with pytest.raises(UserError, match="the layer 0 pads by reflect, which C files do not have"):
        classifier(network, contract, 3).export(tmp_path / "c", to="c")
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 6000), nn.Linear(6000, 3))
    large = "the network has 4,728,003 parameters; {} are for small ones, of up to 4,000,000"
    for form, files in {"c": "C files", "html": "pages"}.items():
        with pytest.raises(UserError, match=large.format(files)):
            classifier(network, contract, 3).export(tmp_path / "c", to=form)
    assert not (tmp_path / "c").exists()


def test_without_a_compiler(run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(UserError, match="no C compiler was found"):
        load(run_folder).export(tmp_path / "c", to="c")
    assert not (tmp_path / "c").exists()
