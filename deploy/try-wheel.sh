#!/bin/sh
# Installs a wheel where nothing of this checkout is seen, as pipx does, and sets up an office with
# it in an empty folder: try-wheel.sh WHEEL LOCK PYTHON. Needs a package index, and sends nothing.
set -eu
wheel=$(realpath "$1") lock=$(realpath "$2") python=$3
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset PYTHONPATH
"$python" -m venv "$place/venv"
"$place/venv/bin/pip" install -q --disable-pip-version-check -r "$lock" "$wheel"
mkdir "$place/office"
cd "$place/office"
PATH="$place/venv/bin:$PATH"
year=$(date +%Y)
cat > answers.toml <<END
office = "UBND phường Thử"
[plan]
year = $year
units = ["Văn phòng", "Tư pháp"]
[[person]]
name = "Nguyễn Văn An"
unit = "Văn phòng"
END

tried() {
    echo "--- reminder $*"
    reminder "$@" > "$place/said" 2>&1 < /dev/null || { cat "$place/said"; exit 1; }
    tail -n 2 "$place/said"
}

tried version
tried init --answers answers.toml
tried plan check "data/plan$year.toml"
tried people export -o can-bo.xlsx
tried people import can-bo.xlsx
tried sandbox
tried sandbox --plan "data/plan$year.toml" --people config/people.toml
tried simulate --plan "data/plan$year.toml" --from "$year-01-01" --to "$year-12-31"
tried status
tried report --period "$year-Q1" -o bao-cao.docx
for file in config/reminder.toml config/people.toml config/calendar.toml "data/plan$year.toml"; do
    test -s "$file" || { echo "missing: $file"; exit 1; }
done
for page in bat-dau operations plan-format; do
    test -s "$place/venv/share/reminder/docs/$page.md" || { echo "missing: $page.md"; exit 1; }
done
echo "--- the wheel is whole"
