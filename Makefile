# The project's commands. The work is done in scripts/, so that each step can be read and run alone.
.DEFAULT_GOAL := help
.PHONY: help run test check compose-test chaos cuts recovery mutants fuzz quality bench soak screenshots build sbom fmt clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install what is missing, build, start the search service here; Ctrl-C stops it
	@scripts/run.sh

test: ## install what is missing and run every test
	@scripts/test.sh

chaos: ## break everything under 10,000 searches (CHAOS_JOBS, CHAOS_SEED) and see that none is lost
	@scripts/chaos.sh

check: ## everything CI runs: format, lints, borders, dependencies, deploy files, docs, tests
	@scripts/check.sh

compose-test: ## build the images and run the whole deployment by docker compose (needs a Docker engine)
	@scripts/compose/test.sh

cuts: ## cut a stream of events at 10,000 random bytes (CUTS) and see that nothing is lost
	@scripts/cuts.sh

recovery: ## measure every row of the crash table 20 times, with the leases of a deployment
	@scripts/recovery.sh

mutants: ## take safeguards out of the job engine one by one; the tests must notice each
	@scripts/mutants.sh

fuzz: ## search for rare faults: property tests and requests to the API with fresh cases (PROPTEST_CASES, SCHEMAS_EXAMPLES)
	@scripts/fuzz.sh

quality: ## measure the answers over tests/quality, into docs/QUALITY.md (QUALITY_SHOW=1: what went wrong)
	@scripts/quality.sh

bench: ## compare with FastAPI, BullMQ and Celery, measure all goals, write docs/BENCHMARKS.md
	@scripts/bench.sh

soak: ## half load for 30 minutes (SOAK_MINUTES): memory, connections, files and keys stay flat
	@scripts/soak.sh

screenshots: ## take the pictures of docs/screenshots anew
	@scripts/screenshots.sh

build: ## build both binaries for release, into target/release
	@scripts/build.sh

sbom: ## list what the binaries are made of (CycloneDX), into target/sbom
	@scripts/sbom.sh

fmt: ## format the code
	@scripts/fmt.sh

clean: ## remove what was built (data/ stays)
	@rm -rf target
