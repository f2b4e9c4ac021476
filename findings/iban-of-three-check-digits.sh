#!/usr/bin/env bash
# Three IBANs in 97 have two pairs of check digits that pass: python-stdnum and npm's iban take 99 for 02, 00 for 97 and 01 for 98.
#
# Versions: python-stdnum 2.2, schwifty 2026.10.1; ibantools 4.5.4 and iban 0.0.14 on Node.
#
# Behaviour: the two digits behind the country are chosen so that the whole is 1 modulo 97. Of 00 to 99, three have a second one that is the same modulo 97: 00 and 97, 01 and 98, 02 and 99. The standard gives 98 less a remainder, so 02 to 98, and no IBAN has the others. stdnum and iban compute the remainder alone and take both;
# schwifty and ibantools compare with the digits that the account would get.
#
# Why a good guess is wrong: two digits modulo 97 are known to find each single wrong digit, and all pairs exchanged. That holds for the number behind; the check digits themselves, read from handwriting, may both be wrong. A reader that tries its second guesses until one passes, as one does
# with handwriting, comes upon the twin more often than by chance: both differ from what was written in its two least legible digits only. Neither library's documentation says what is checked of the two.
#
# What a program like ours must do: compute the two digits from the rest and compare; refuse 00, 01 and 99.
#
# Seen (German numbers of digits drawn; whether each passes, and of how many of 1000 accounts more than one pair does):
#   number                         stdnum  schwifty  iban   ibantools
#   DE97811605956066533900         yes     yes       yes    yes
#   DE00811605956066533900         yes     no        yes    no
#   DE50811605956066533900         no      no        no     no
#   DE98911289041226315019         yes     yes       yes    yes
#   DE01911289041226315019         yes     no        yes    no
#   DE50911289041226315019         no      no        no     no
#   DE02553382507302293239         yes     yes       yes    yes
#   DE99553382507302293239         yes     no        yes    no
#   DE50553382507302293239         no      no        no     no
#   of 1000, more than one passes  34      0         34     0
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install -qq python-stdnum==2.2 schwifty==2026.10.1
npm install --silent --no-audit --no-fund ibantools@4.5.4 iban@0.0.14 > /dev/null

cat > check.js <<'JS'
const iban = require("iban");
const { isValidIBAN } = require("ibantools");
const numbers = JSON.parse(require("node:fs").readFileSync("numbers.json"));
console.log(JSON.stringify(numbers.map((number) => [iban.isValid(number), isValidIBAN(number)])));
JS
env/bin/python -W ignore - <<'PY'
import json
import random
import subprocess
import sys

from schwifty import IBAN
from stdnum import iban


def by_node(numbers):
    with open("numbers.json", "w") as file:
        json.dump(numbers, file)
    return json.loads(subprocess.run(["node", "check.js"], capture_output=True, check=True).stdout)


def passes(numbers):
    """Whether each passes, by stdnum, schwifty, iban and ibantools."""
    return [
        (iban.is_valid(number), IBAN(number, allow_invalid=True).is_valid, *others)
        for number, others in zip(numbers, by_node(numbers), strict=True)
    ]


def check_digits(account):
    """By ISO 13616: 98 less the remainder of account, country and 00."""
    return 98 - int(f"{account}131400") % 97


random.seed(0)
ACCOUNTS = ["".join(random.choices("0123456789", k=18)) for _ in range(1000)]
TWINS = {97: "00", 98: "01", 2: "99"}
same = True
FORM = "{:31}{:8}{:10}{:7}{}"
print(FORM.format("number", "stdnum", "schwifty", "iban", "ibantools"))
for digits, twin in TWINS.items():
    account = next(account for account in ACCOUNTS if check_digits(account) == digits)
    for pair, described in ((f"{digits:02}", "yes yes yes yes"), (twin, "yes no yes no"), ("50", "no no no no")):
        seen = ["yes" if found else "no" for found in passes([f"DE{pair}{account}"])[0]]
        print(FORM.format(f"DE{pair}{account}", *seen))
        same &= " ".join(seen) == described
pairs = [0, 1, 2, 97, 98, 99]
found = passes([f"DE{pair:02}{account}" for account in ACCOUNTS for pair in pairs])
counts = [0] * 4
for start in range(0, len(found), len(pairs)):
    for way in range(4):
        counts[way] += sum(row[way] for row in found[start : start + len(pairs)]) > 1
print(FORM.format("of 1000, more than one passes", *map(str, counts)))
same &= counts == [34, 0, 34, 0]
sys.exit(not same)
PY
