#!/usr/bin/env bash
# setup.sh VENV NEEDED LOCK [PYTHON]: a virtual environment in VENV with everything of the file LOCK and the project.
# Called by make; safe to run again. When something is missing, one line says what. By uv where it is installed.
set -euo pipefail
venv=$1 needed=$2 lock=$3 wanted=${4:-}

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
total=$(grep -c "^[A-Za-z0-9].*==" "$lock")

# pip's lines as one line on a terminal, elsewhere as a line for every 25 packages; errors and warnings as they are
shown() {
    local line name count=0
    while IFS= read -r line; do
        case $line in
            Collecting\ * | Requirement\ already\ satisfied:*)
                count=$((count + 1))
                name=${line#Collecting }
                name=${name#Requirement already satisfied: }
                name=${name%% *}
                if [[ -t 1 ]]; then printf '\r\033[Ksetup: %d of %d packages: %s' "$count" "$total" "${name%%[=<>]*}"
                elif ((count % 25 == 0)); then echo "setup: $count of $total packages"; fi ;;
            Installing\ collected\ packages:*)
                [[ -t 1 ]] && printf '\r\033[K'
                echo "setup: unpacking $count packages (the longer half)" ;;
            ERROR:* | WARNING:* | error:* | \ \ *error*) echo "$line" >&2 ;;
        esac
    done
    if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

install() {
    if command -v uv >/dev/null; then
        echo "setup: installing $total packages of $lock by uv"
        uv pip install --quiet --python "$venv/bin/python" "$@" && return
        echo "setup: uv could not; now by pip" >&2
    fi
    echo "setup: installing up to $total packages of $lock (a minute or two the first time)"
    "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off "$@" 2>&1 | shown
}

install --require-hashes -r "$lock" \
    || fail "the packages of $lock could not be installed (see above); is the network there?"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . \
    || fail "the project itself could not be installed (see above)"
echo "setup: $venv is ready"
