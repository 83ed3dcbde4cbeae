"""The link to a host: frames (frame.py) over a byte stream (stream.py)."""
