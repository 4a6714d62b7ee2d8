#!/usr/bin/env bash
# setup.sh VENV NEEDED [PYTHON]: a virtual environment in VENV with everything of requirements.lock and the project.
# Called by make; safe to run again. When something is missing, one line says what.
set -euo pipefail
venv=$1 needed=$2 wanted=${3:-}

fail() { echo "setup: $1" >&2; exit 2; }

new_enough() {
    "$1" -c "import sys; sys.exit(sys.version_info < ($(echo "$needed" | tr . ,)))" 2>/dev/null
}

choose_python() {
    local candidate
    for candidate in ${wanted:-python3 python3.13 python3.12 python3.11 python}; do
        if new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    local found
    found=$("${wanted:-python3}" --version 2>/dev/null) || true
    fail "Python $needed or newer is needed; ${wanted:-python3} is ${found:-not there}. Name another: make setup PYTHON=/path/to/python"
}

python=$(choose_python)
if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null \
        || fail "$python has no venv module; on Debian and Ubuntu: apt install python3-venv"
    echo "setup: making $venv with $("$python" --version)"
    "$python" -m venv "$venv" || fail "could not make $venv; remove it and try again"
fi
echo "setup: installing from requirements.lock (a minute or two the first time)"
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" --require-hashes -r requirements.lock \
    || fail "the packages of requirements.lock could not be installed (see above); is the network there?"
"${pip[@]}" --no-deps --no-build-isolation -e . || fail "the project itself could not be installed (see above)"
