# What a user types; `make help` lists it. Everything is installed below target/, clients/python/.venv and Maven's own
# folder; nothing else on the machine is changed.

CARGO  ?= cargo
PYTHON ?= python3
MVN    ?= mvn -B -q
# What the server is built with; "quick" makes do with a slower one.
PROFILE ?= release
VENV   := clients/python/.venv
JAR    := clients/java/target/calculate-client.jar
SERVER := target/$(PROFILE)/calculate
# What tests call: built in a fraction of the time (Cargo.toml).
TESTED := target/quick/calculate

.PHONY: help run-server build certs zookeeper demo test test-rust test-python test-java test-differential interop check gen vectors \
	bench chaos soak fuzz clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run-server: $(SERVER) ## build and run the server on 127.0.0.1:9090
	@$(SERVER) serve

build: $(SERVER) $(VENV)/installed $(JAR) ## the server, the Python client in its virtual environment, the Java jar

certs: target/certs/ca.pem ## a test CA, and certificates for servers and clients, in target/certs

target/certs/ca.pem: examples/certs.rs
	@$(CARGO) run --quiet --profile quick --locked --example certs -- target/certs
	@touch $@

target/%/calculate: $(shell find src idl -name '*.rs' -o -name '*.thrift') Cargo.toml Cargo.lock
	@$(CARGO) build --profile $* --locked
	@touch $@

$(VENV)/installed: clients/python/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -e 'clients/python[dev]'
	@touch $@

$(JAR): $(shell find clients/java/src/main clients/java/src/generated -name '*.java') clients/java/pom.xml
	$(MVN) -f clients/java/pom.xml package -DskipTests
	@touch $@

demo: build ## start a server, call it from Rust, Python and Java, stop it
	@tests/demo.sh $(SERVER)

test: test-rust test-python test-java test-differential ## every test of every language, against the real server

zookeeper: ## the ZooKeeper of the tests, in target/zookeeper
	@tests/zookeeper/start.sh --build

test-rust: certs zookeeper
	$(CARGO) test --profile quick --locked

test-python: $(TESTED) $(VENV)/installed certs zookeeper
	cd clients/python && CALCULATE_PROGRAM=$(abspath $(TESTED)) .venv/bin/python -m pytest -q

test-java: $(TESTED) certs zookeeper
	CALCULATE_PROGRAM=$(abspath $(TESTED)) $(MVN:-q=-ntp) -f clients/java/pom.xml verify

test-differential: $(JAR)
	$(CARGO) build --profile quick --locked --example differential
	$(PYTHON) fuzz/differential/run.py --cases 4000

interop: $(JAR) certs ## let every client, ours and foreign ones as they are, call every shape in every encoding (INTEROP=--all: none left out)
	$(CARGO) build --profile quick --locked --example conformance --example interop
	$(PYTHON) tests/interop/run.py $(INTEROP)

check: $(VENV)/installed ## formatting, lints, documentation, generated code: changes nothing
	$(CARGO) fmt --check
	$(CARGO) clippy --profile quick --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --quiet
	cd clients/python && .venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy
	$(MVN) -f clients/java/pom.xml spotless:check javadoc:javadoc
	idl/generate.sh --check
	$(VENV)/bin/python idl/vectors/generate.py --check
	$(PYTHON) idl/vectors/balance.py --check
	$(VENV)/bin/python idl/vectors/conformance.py --check

gen: ## compile the IDL into Rust, Python and Java
	idl/generate.sh

vectors: $(VENV)/installed ## write the golden messages and the vectors of balancing anew
	$(VENV)/bin/python idl/vectors/generate.py
	$(PYTHON) idl/vectors/balance.py
	$(VENV)/bin/python idl/vectors/conformance.py

bench: build ## measure all that ARCHITECTURE.md quotes, beside the named peers
	benches/run.sh

chaos: $(TESTED) $(VENV)/installed $(JAR) ## servers restarted, killed, paused; ZooKeeper gone: no call may fail (CHAOS=long for all of it)
	@$(CARGO) build --quiet --profile quick --locked --example caller --example proxy --example newer
	@tests/zookeeper/start.sh --build
	$(VENV)/bin/python tests/chaos/run.py

soak: build certs ## ten minutes (SECONDS=600) of good and hostile traffic together: nothing wrong, nothing lost, nothing that grows
	@$(PYTHON) tests/soak/soak.py --seconds $(or $(SECONDS),600)

fuzz: $(JAR) ## fuzz every parser for a minute each (SECONDS_EACH=60), and compare with Apache's libraries for as long
	fuzz/run.sh
	$(CARGO) build --profile quick --locked --example differential
	$(PYTHON) fuzz/differential/run.py --seconds $(or $(SECONDS_EACH),60) --seed $$(date +%s)

clean: ## remove all that was built
	$(CARGO) clean
	rm -rf $(VENV) clients/java/target benches/peers/target fuzz/target
