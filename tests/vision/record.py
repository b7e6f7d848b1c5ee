"""Writes tests/data/torchvision.json: ``python -m tests.vision.record``, where torchvision is."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.vision import cases


def record() -> dict[str, Any]:
    import torch
    import torchvision

    return {
        "version": torchvision.__version__.partition("+")[0],
        "functions": {
            name: cases.run_function(text, torchvision.transforms.functional, torch)
            for name, text in cases.FUNCTIONS.items()
        },
        "transforms": {
            text: cases.run_transform(text, torchvision.transforms, torch)
            for text in cases.TRANSFORMS
        },
    }


def main() -> None:
    lines = []
    found = record()
    for part in ("functions", "transforms"):
        entries = [
            f"  {json.dumps(name)}: {json.dumps(results)}" for name, results in found[part].items()
        ]
        lines.append(f"{json.dumps(part)}: {{\n" + ",\n".join(entries) + "\n}")
    text = f'{{"version": "{found["version"]}",\n' + ",\n".join(lines) + "}\n"
    part_path = cases.RECORD.with_suffix(".part")
    part_path.write_text(text)
    os.replace(part_path, cases.RECORD)


if __name__ == "__main__":
    main()
