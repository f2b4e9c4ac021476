#!/usr/bin/env bash
# Amounts in words become other amounts: word2number makes 101 of "one thousand, one hundred" and 200 of "twenty five hundred", and words-to-numbers makes 9090 of "ninety-nine thousand".
#
# Versions: word2number 1.1, num2words 0.5.14, text2num 3.1.0; words-to-numbers 1.5.1 on Node.
#
# Behaviour: word2number leaves out each word that it does not know, "thousand," with its comma among them, and puts together what is left: "four thousand sven hundred", one letter misread, is 4100. It knows no hundreds above nineteen ("twenty five hundred" is 200), and it counts the thousands of "two hundred and one thousand" wrongly
# behind a million. words-to-numbers multiplies by "thousand" the last word alone: "one hundred twenty three thousand" is 100 + 20 + 3000. Neither refuses. text2num refuses what it does not know as a whole and is right in the rest; its alpha2digit, for running text, splits an amount at a comma.
#
# Why a good guess is wrong: all are for just this, the examples of their documentation are right ("two million three thousand nine hundred and eighty four"), and numbers below 1000 are right throughout. num2words, by which one would make tests, writes a comma behind each thousand, as English does: of what it writes from 0 to 99999, word2number reads a ninth (text2num refuses the rest).
# On a cheque the words are what counts if they and the figures differ, and a program that compares both takes an agreement for a proof: 101 for 1100 is a sure disagreement, a rejected cheque; 3202201 is near to 3201000.
#
# What a program like ours must do: write the number that was read in figures as words, in each usual way, and compare words with words; if words are read, refuse an unknown one and check by writing the result again.
#
# Seen:
#   words                                       word2number  words-to-numbers  text2num
#   one hundred and twenty-three                123          123               123
#   one thousand, one hundred                   101          1100              refused
#   twenty five hundred                         200          520               2500
#   ninety-nine thousand                        99000        9090              99000
#   one hundred twenty three thousand           123000       3120              123000
#   three million two hundred and one thousand  3202201      3001200           3201000
#   four thousand sven hundred                  4100         4000 sven 100     refused
#   two thousand and 45/100                     2000         2000 and 45/100   refused
#   as num2words writes 0 to 99999, right       10900        28000             10900
#   the same without commas, right              100000       28000             100000
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install -qq word2number==1.1 num2words==0.5.14 text2num==3.1.0
npm install --silent --no-audit --no-fund words-to-numbers@1.5.1 > /dev/null

cat > read.js <<'JS'
const { wordsToNumbers } = require("words-to-numbers");
const texts = JSON.parse(require("node:fs").readFileSync("texts.json"));
console.log(JSON.stringify(texts.map((text) => wordsToNumbers(text))));
JS
env/bin/python -W ignore - <<'PY'
import json
import subprocess
import sys

from num2words import num2words
from text_to_num import text2num
from word2number.w2n import word_to_num

CASES = {
    "one hundred and twenty-three": "123 123 123",
    "one thousand, one hundred": "101 1100 refused",
    "twenty five hundred": "200 520 2500",
    "ninety-nine thousand": "99000 9090 99000",
    "one hundred twenty three thousand": "123000 3120 123000",
    "three million two hundred and one thousand": "3202201 3001200 3201000",
    "four thousand sven hundred": "4100 4000 sven 100 refused",
    "two thousand and 45/100": "2000 2000 and 45/100 refused",
}
WRITTEN = [num2words(number) for number in range(100000)]
PLAIN = [text.replace(",", "") for text in WRITTEN]


def by_node(texts):
    with open("texts.json", "w") as file:
        json.dump(texts, file)
    return json.loads(subprocess.run(["node", "read.js"], capture_output=True, check=True).stdout)


def by_text2num(text):
    try:
        return text2num(text, "en")
    except ValueError:
        return "refused"


def right(numbers):
    return sum(number == described for described, number in enumerate(numbers))


FORM = "{:44}{:<13}{:<18}{}"
print(FORM.format("words", "word2number", "words-to-numbers", "text2num"))
same = True
for text, described, answer in zip(CASES, CASES.values(), by_node(list(CASES)), strict=True):
    seen = word_to_num(text), answer, by_text2num(text)
    print(FORM.format(text, *seen))
    same &= " ".join(map(str, seen)) == described
for name, texts, described in (
    ("as num2words writes 0 to 99999, right", WRITTEN, (10900, 28000, 10900)),
    ("the same without commas, right", PLAIN, (100000, 28000, 100000)),
):
    seen = right(map(word_to_num, texts)), right(by_node(texts)), right(map(by_text2num, texts))
    print(FORM.format(name, *seen))
    same &= seen == described
sys.exit(not same)
PY
