"""One command from a folder of images, as people have them, to a model that answers."""

import json
import subprocess
import sys
import urllib.request

from PIL import Image

from holmdel import data


def test_a_folder_with_spaces_broken_files_and_an_odd_class_is_served(tmp_path):
    digits = data.load("digits").train
    folder = tmp_path / "my images"
    files = []
    for number, label in enumerate(digits.labels.tolist()):
        if label < 3 and number < 400:
            files.append(folder / f"digit {label}" / f"scan no. {number}.png")
            files[-1].parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(digits.images[number, 0].numpy()).save(files[-1])
    (folder / "digit 1" / "broken one.png").write_bytes(files[0].read_bytes()[:80])
    (folder / "odd class").mkdir()
    (folder / "odd class" / "only.jpg").write_bytes(b"no image")
    words = ["train", "lenet", "--data", str(folder), "--skip-broken", "--serve", "0"]
    command = [sys.executable, "-m", "holmdel", *words, "--epochs", "8", "--out", "run"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("{"):
                break
        url = json.loads(lines[-1])["url"]
        kind = {"Content-Type": "image/png"}
        asked = urllib.request.Request(f"{url}/v1/classify", files[-1].read_bytes(), kind)
        with urllib.request.urlopen(asked) as answer:
            said = json.load(answer)
        assert said["label"] == files[-1].parent.name
    finally:
        process.kill()
        process.communicate()
    told = "".join(lines)
    assert "left out: 2 of 122 images cannot be used (" in told
    assert "left out: the classes odd class, of which no training image is left" in told
