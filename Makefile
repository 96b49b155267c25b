# make demo     install, run the main job on embedded data, print the leaderboard, write a report
# make install  just that, into .venv
# make test     install, lint, run the whole test suite
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RESULTS ?= results/demo
PROCESSES ?= 2
INSTALLED := $(VENV)/.installed

.PHONY: install demo test lint format clean

install: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/algoperf-lite run -w digits_resnet -w zipf_lm -w clicks_dlrm \
		-s nadamw -s nesterov -s schedule_free_adamw --results $(RESULTS) --quick
	$(BIN)/algoperf-lite report $(RESULTS) -o $(RESULTS)/report.html

test: lint
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(INSTALLED): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache
