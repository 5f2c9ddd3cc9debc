# What can be done here; each verb is a few lines that can be typed by hand as well.
# Settings go along: make run PORT=9000 ENABLE_GOD_MODE=false

STACK := cargo run --quiet --bin stack --

.PHONY: help setup run reset seed retry-demo load test check fmt sqlx openapi bench image sbom deploy rollback terraform

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' Makefile | expand -t 18

setup: ## Install the Debian packages that are missing
	@tests/stack/setup

run: setup ## Boot everything on this machine and serve it on PORT (8082), until Ctrl-C
	@cargo build --bins
	@$(STACK) run

reset: ## Forget the data, keys and passwords of `make run`
	@$(STACK) reset

seed: ## Add EVENTS (1000000) believable scans to the running stack, or to DATABASE_URL
	@$(STACK) seed --events $(or $(EVENTS),1000000) $(if $(SEED),--seed $(SEED))

retry-demo: ## Break a batch of the running stack, have it retried, and show each state as it happens
	@$(STACK) retry-demo

load: ## Send RATE (1000) requests/s for SECONDS (30) to the running stack, and time them
	@cargo run --quiet --bin load -- --rate $(or $(RATE),1000) --seconds $(or $(SECONDS),30)

test: setup ## Run all tests, with a PostgreSQL, a Redis and a Pub/Sub emulator of their own
	cargo build --bins
	$(STACK) services -- tests/stack/test

check: setup ## Formatting, lints, documentation, .sqlx, licences, the Dockerfile, Terraform
	cargo fmt --check && cargo clippy --workspace --all-targets -- -D warnings && RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	tests/stack/sqlx --check
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --offline check bans licenses sources; else echo 'skipped: licences and sources (cargo-deny is not installed)'; fi
	@if hadolint --version >/dev/null 2>&1; then hadolint Dockerfile; else echo 'skipped: the Dockerfile (hadolint is not installed)'; fi
	@tests/stack/terraform

fmt: ## Format the code
	cargo fmt

sqlx: setup ## Write .sqlx anew, against a migrated database
	tests/stack/sqlx

openapi: ## Write terraform/gateway/openapi.yaml anew, from the handlers' documentation
	$(STACK) openapi > target/openapi.yaml
	mv target/openapi.yaml terraform/gateway/openapi.yaml

bench: setup ## Measure the release build, over BENCH_EVENTS (10000000) scans and BENCH_ENTRIES (5000000) audit entries
	tests/stack/setup wrk
	cargo build --release -p auth -p users -p dashboard -p analytics -p audit -p system -p retry-worker -p jobs && cargo build --release -p shared --example bare
	$(STACK) services -- cargo run --quiet --bin bench

image: ## Build the image admin-api/FUNCTION, with Docker
	docker buildx build --build-arg FUNCTION=$(FUNCTION) --tag admin-api/$(FUNCTION) --load .

sbom: ## Write what each function is made of to target/sbom, as CycloneDX (needs cargo-cyclonedx)
	tests/deploy/sbom

deploy: ## Roll out IMAGE of FUNCTION (users, …, or jobs) in ENVIRONMENT (dev): only that one is touched
	@terraform/run deploy $(or $(ENVIRONMENT),dev) $(or $(FUNCTION),-) $(IMAGE)

rollback: ## Have the revision before, or REVISION, of FUNCTION serve in ENVIRONMENT (dev)
	@terraform/run rollback $(or $(ENVIRONMENT),dev) $(or $(FUNCTION),-) $(REVISION)

terraform: ## Plan and apply ROOT (platform, jobs, gateway, monitoring) in ENVIRONMENT (dev)
	@terraform/run apply $(or $(ENVIRONMENT),dev) $(or $(ROOT),-)
