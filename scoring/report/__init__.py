"""A results directory as one self-contained page: `payload` says what, `page` how it looks."""
