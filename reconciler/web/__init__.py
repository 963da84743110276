"""The read-only HTTP view: one dict per resource, rendered as JSON or HTML; the index is opened read-only."""
