# The project's commands. The work is in scripts/, so that each step can be read and run alone.
.DEFAULT_GOAL := help
.PHONY: help run test check compose-test chaos cuts recovery mutants fuzz quality bench soak screenshots build sbom fmt titles clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install what is missing, build, start the search service here; Ctrl-C stops it
	@scripts/run.sh

test: ## install what is missing and run every test
	@scripts/test.sh

chaos: ## run 10,000 searches (CHAOS_JOBS, CHAOS_SEED) while all parts fail; check that none is lost
	@scripts/chaos.sh

check: ## everything CI runs: format, lints, borders, dependencies, deploy files, docs, tests
	@scripts/check.sh

compose-test: ## build the images and run the whole deployment by docker compose (needs a Docker engine)
	@scripts/compose/test.sh

cuts: ## interrupt an event stream at 10,000 random bytes (CUTS); check that nothing is lost
	@scripts/cuts.sh

recovery: ## measure the recovery from every failure of the runbook's table, 20 times each
	@scripts/recovery.sh

mutants: ## remove the safeguards of the job engine one by one; the tests must notice each
	@scripts/mutants.sh

fuzz: ## look for rare faults: property tests and API requests with new cases (PROPTEST_CASES, SCHEMAS_EXAMPLES)
	@scripts/fuzz.sh

quality: ## measure the answers over tests/quality, into docs/QUALITY.md (QUALITY_SHOW=1: print the wrong ones)
	@scripts/quality.sh

bench: ## compare with FastAPI, BullMQ and Celery, measure all goals, write docs/BENCHMARKS.md
	@scripts/bench.sh

soak: ## run at half load for 30 minutes (SOAK_MINUTES); memory, connections, files and keys must not grow
	@scripts/soak.sh

screenshots: ## make the pictures of docs/screenshots again
	@scripts/screenshots.sh

build: ## build both binaries for release, into target/release
	@scripts/build.sh

sbom: ## list the components of the binaries (CycloneDX), into target/sbom
	@scripts/sbom.sh

titles: ## check the titles of your commits
	@scripts/titles.sh

fmt: ## format the code
	@scripts/fmt.sh

clean: ## remove the build (data/ stays)
	@rm -rf target
