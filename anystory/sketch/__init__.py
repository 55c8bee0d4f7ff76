"""The sketch: a line of script becomes a picture at once, without a model.

    line of script --read--> Shot --stage--> Staging --compose--> Sketch

`read` tells what the line says, `stage` who stands where and how, `compose` paints the place and puts the cut-outs into
it. numpy, PIL, scipy and resvg; no torch.
"""
