"""What `anystory.sketch.staging` stages with: poses, the camera, figures and what they do to each other.

Inside, lengths are in frame heights, in x as in y; only a `Staging` is in shares of the frame.
"""
