# `make run` has the portal with demo data on http://127.0.0.1:3000; `make test` passes every test.
# Both find or install what they need on Debian with Rust and Node.js, and say what to install elsewhere.

SHELL := /bin/bash
PORTAL := target/debug/portal
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
export PORTAL_DATA_DIR ?= .portal

.PHONY: run test check unit browser mutate judges deny fuzz uploads bench need-postgres need-browser need-nextest release clean-data

run: need-postgres
	@cargo build --quiet
	@$(PORTAL) demo
	@exec $(PORTAL) serve

test: check unit browser

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

unit: need-postgres need-nextest
	cargo nextest run --workspace --no-fail-fast; result=$$?; \
	env -u DATABASE_URL PORTAL_DATA_DIR=target/test-postgres $(PORTAL) db stop; exit $$result
	cargo test --workspace --doc --quiet

browser: need-postgres need-browser
	cargo build
	cd end2end && npm ci --no-audit --no-fund --ignore-scripts && CHROMIUM=$(CHROMIUM) npx playwright test

# Every policy and right changed in turn, and every guard of the web made to do nothing; noticed each time; minutes.
mutate: need-postgres need-nextest
	cargo nextest run -p portal --test isolation --run-ignored only --no-capture -E 'test(mutate::) + test(guards::)'

# pgTAP, pgrls and squawk, on a copy of a migrated database; what is waived stands in docs/waivers.md.
judges: need-postgres
	@cargo build --quiet
	./.ci/judges

# Licences, sources and advisories of the dependencies: deny.toml. Building cargo-deny the first time takes four minutes.
deny:
	./.ci/deny

# Damaged tariffs and usage files without end: five minutes of them, or as many as SECONDS_TO_FUZZ says.
fuzz: need-nextest
	EIS_FUZZ_SECONDS=$${SECONDS_TO_FUZZ:-300} cargo nextest run -p eis-power --no-capture fuzz

# Attack 76 at length: four files of 64 MB of every kind at a time, to a release build; many minutes.
uploads: release need-nextest
	UPLOADS_MB=$${MB:-64} UPLOADS_PORTAL=$(CURDIR)/target/release/portal \
	cargo nextest run -p portal --test isolation --no-capture attack_76

release: need-postgres
	RUSTFLAGS="" cargo build --release

bench: release
	target/release/portal bench rate
	target/release/portal bench pages
	target/release/portal bench rls --drop
	target/release/portal bench billing
	target/release/portal bench import

# ── What is needed, installed where that is possible ───────────────────────────────────────────────

need-postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || [ -n "$$DATABASE_URL" ] \
	|| ./.ci/install postgresql || { echo "Install PostgreSQL 15 or later (macOS: brew install postgresql@17), or set DATABASE_URL."; exit 1; }

need-browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| ./.ci/install chromium || { echo "Install Chromium, or set CHROMIUM to a browser's path."; exit 1; }
	@command -v npm >/dev/null || { echo "Install Node.js 20 or later."; exit 1; }

need-nextest:
	@cargo nextest --version >/dev/null 2>&1 || cargo install cargo-nextest --locked

# The private PostgreSQL with all its data goes.
clean-data:
	-$(PORTAL) db stop
	rm -rf $(PORTAL_DATA_DIR)
