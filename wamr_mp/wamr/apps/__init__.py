"""The app framework: many apps on one chip, installed and asked over a link; see
docs/internals/apps.md.
"""
