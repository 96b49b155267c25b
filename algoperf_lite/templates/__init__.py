"""Starting points that ``algoperf-lite new`` copies: Python that runs as it stands.

`algoperf_lite.scaffold` replaces the names in them; what a user should change says EDIT.
"""
