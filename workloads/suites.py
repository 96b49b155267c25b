"""The suites of this tree: which base workloads a leaderboard is computed over."""

SUITES = {
    "lite": (
        "clicks_dlrm",
        "digits_resnet",
        "digits_vit",
        "molecules_gnn",
        "rewrite_transformer",
        "scenes_unet",
        "tones_conformer",
        "tones_lstm",
        "zipf_lm",
    ),
    "catalog": (
        "cifar10_resnet",
        "cifar10_vit",
        "fashion_mnist_cnn",
        "shakespeare_gpt",
    ),
}
"""Suite name to its base workloads, in the order they are run and shown."""
