# massrevoke. `make help` lists the targets. Output goes to build/ only.
FLAVOUR ?= release
BUILD   := build/$(FLAVOUR)
VERSION := 0.1.0
PREFIX  ?= /usr/local
WERROR  ?= -Werror

PACKAGES := libcrypto libssl libpq libcurl libconfig jansson gmime-3.0 libical
# third-party headers are not ours to warn about
CPPFLAGS += -Iinclude -Iorchestrator -D_GNU_SOURCE -DMASSREVOKE_VERSION='"$(VERSION)"' \
            $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES)))
LDLIBS   += $(shell pkg-config --libs $(PACKAGES)) -lpthread

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla -Wcast-qual -Wwrite-strings -Wundef -Wswitch-enum -Wimplicit-fallthrough \
        -Wnull-dereference
GCCWARN := -Wduplicated-cond -Wduplicated-branches -Wlogical-op

CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
CFLAGS_debug := -O0 -g
# by clang, and as the fuzzers need it: one build is the second compiler, the sanitizers and the fuzzers
CFLAGS_asan := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_asan := -fsanitize=address,undefined
ifeq ($(FLAVOUR),asan)
CC := clang
endif
ifeq ($(findstring clang,$(CC)),)
WARN += $(GCCWARN)
endif
ALL_CFLAGS = -std=c17 $(CFLAGS_$(FLAVOUR)) $(WARN) $(WERROR) $(CFLAGS)

DATA := $(sort $(shell find plans sql -type f ! -name 'README*'))
SRC  := $(sort $(filter-out orchestrator/main.c,$(wildcard orchestrator/*/*.c)))
OBJ  := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/embed.o
TEST_SRC := $(sort $(wildcard tests/unit/*/test_*.c tests/property/test_*.c tests/contract/test_*.c \
            tests/store/test_*.c tests/service/test_*.c tests/crash/test_*.c))
TEST_LIB := $(sort $(wildcard tests/lib/*.c))
TESTS := $(TEST_SRC:%.c=$(BUILD)/%)
BENCHES := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bench/bench_*.c)))
FUZZ := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
MANUAL := $(patsubst orchestrator/cli/man/%.scd,build/man/%,$(wildcard orchestrator/cli/man/*.scd))

all: build/massrevoke build/man ## build/massrevoke and the manual

build/massrevoke: $(BUILD)/massrevoke
	@cp -f $< $@.new && mv -f $@.new $@

$(BUILD)/massrevoke: $(BUILD)/orchestrator/main.o $(BUILD)/libmassrevoke.a
	@$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libmassrevoke.a: $(OBJ)
	@rm -f $@
	@$(AR) rcs $@ $(OBJ)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embed.S: scripts/embed.sh $(DATA)
	@mkdir -p $(@D)
	@LC_ALL=C scripts/embed.sh $(DATA) > $@

$(BUILD)/embed.o: $(BUILD)/embed.S
	@$(CC) -c -o $@ $<

# an archive, so that a program takes only the helpers it uses
$(BUILD)/libtests.a: $(TEST_LIB:%.c=$(BUILD)/%.o)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/tests/bench/bench.o $(BUILD)/libtests.a $(BUILD)/libmassrevoke.a
	@$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libtests.a $(BUILD)/libmassrevoke.a
	@$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(if $(findstring /fuzz/,$@),-fsanitize=fuzzer,-lcmocka)

bench: all bench-programs ## measure hot paths against peers: build/bench/NAME.json (NAME=... for one)
	@scripts/bench $(NAME)
bench-programs: $(BENCHES)

tests: $(TESTS) ## build every test program of this FLAVOUR

fuzzers: ## build the fuzzers (needs clang)
	@$(MAKE) --no-print-directory FLAVOUR=asan fuzz-programs
fuzz-programs: $(FUZZ)

build/man: $(MANUAL)
build/man/%: orchestrator/cli/man/%.scd
	@mkdir -p $(@D)
	@if command -v scdoc >/dev/null; then SOURCE_DATE_EPOCH=1763769600 scdoc < $< > $@; else cp $< $@; fi

lint: ## layers, headers, functions, banned calls, formatting, static analysis
	@scripts/lint/all

tidy: $(SRC:%.c=build/tidy/%.ok) build/tidy/orchestrator/main.ok ## clang-tidy over every source (.clang-tidy; -j2: some minutes)
build/tidy/%.ok: %.c .clang-tidy $(wildcard include/massrevoke/*.h)
	@mkdir -p $(@D)
	@echo "  TIDY  $<"
	@clang-tidy --quiet $< -- $(CPPFLAGS) -std=c17 2>/dev/null
	@touch $@

check: ## everything CI runs
	@scripts/check

install: all ## copy program, manual and units below $(DESTDIR)$(PREFIX)
	install -D build/massrevoke $(DESTDIR)$(PREFIX)/bin/massrevoke
	for unit in scripts/systemd/*.service; do install -D -m 644 $$unit $(DESTDIR)$(PREFIX)/lib/systemd/system/$$(basename $$unit); done
	install -D -m 644 scripts/systemd/massrevoke.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/massrevoke.conf
	install -D -m 644 sql/role/executor.sql $(DESTDIR)$(PREFIX)/share/massrevoke/executor.sql
	for page in $(MANUAL); do install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$(basename $$page); done

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: all bench bench-programs tests fuzzers fuzz-programs lint tidy check install clean help build/man
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
